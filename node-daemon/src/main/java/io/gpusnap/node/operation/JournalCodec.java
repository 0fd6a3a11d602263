package io.gpusnap.node.operation;

import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Journal events and specs as JSON. Class names come from the registry only. */
final class JournalCodec {

    private final JsonMapper json = JsonMapper.builder().build();
    private final FactRegistry registry;

    JournalCodec(FactRegistry registry) {
        this.registry = registry;
    }

    private record Outcome(
            OperationState state,
            @Nullable FailureCode code,
            @Nullable String detail,
            @Nullable String stage,
            boolean retryable,
            @Nullable List<String> undoProblems) {

        static Outcome of(OperationOutcome outcome) {
            return switch (outcome) {
                case OperationOutcome.Succeeded s ->
                    new Outcome(OperationState.SUCCEEDED, null, null, null, false, null);
                case OperationOutcome.Failed f ->
                    new Outcome(
                            OperationState.FAILED,
                            f.code(),
                            f.detail(),
                            f.stage().orElse(null),
                            f.retryable(),
                            f.undoProblems());
                case OperationOutcome.Cancelled c ->
                    new Outcome(
                            OperationState.CANCELLED,
                            c.code(),
                            c.reason(),
                            c.stage().orElse(null),
                            false,
                            c.undoProblems());
            };
        }

        OperationOutcome toOutcome() {
            if (state == OperationState.SUCCEEDED) {
                return new OperationOutcome.Succeeded();
            }
            FailureCode why = code == null ? FailureCode.INTERNAL : code;
            String text = detail == null ? "" : detail;
            List<String> problems = undoProblems == null ? List.of() : undoProblems;
            return state == OperationState.CANCELLED
                    ? new OperationOutcome.Cancelled(why, text, Optional.ofNullable(stage), problems)
                    : new OperationOutcome.Failed(why, text, Optional.ofNullable(stage), retryable, problems);
        }
    }

    String write(JournalEvent event) {
        return switch (event) {
            case JournalEvent.StageChanged change -> line("", "stage", "", change);
            case JournalEvent.FactRemembered(String scope, Record fact) ->
                line(scope, "fact", registry.nameOf(fact.getClass()), fact);
            case JournalEvent.UndoStarted(OperationOutcome outcome) -> line("", "undo", "", Outcome.of(outcome));
            case JournalEvent.Ended(OperationOutcome outcome) -> line("", "ended", "", Outcome.of(outcome));
        };
    }

    /** No tree in between: a fact may be half a megabyte, and be written while a workload stands still. */
    private String line(String scope, String event, String type, Record value) {
        StringWriter text = new StringWriter();
        try (JsonGenerator line = json.createGenerator(text)) {
            line.writeStartObject();
            if (!scope.isEmpty()) {
                line.writeStringProperty("scope", scope);
            }
            line.writeStringProperty("event", event);
            if (!type.isEmpty()) {
                line.writeStringProperty("type", type);
            }
            line.writeName("value");
            json.writeValue(line, value);
            line.writeEndObject();
        }
        return text.toString();
    }

    JournalEvent readEvent(String text) {
        JsonNode line = json.readTree(text);
        String event = line.path("event").asString("");
        return switch (event) {
            case "stage" -> json.treeToValue(line.path("value"), JournalEvent.StageChanged.class);
            case "fact" -> new JournalEvent.FactRemembered(line.path("scope").asString(""), readTyped(line));
            case "undo" -> new JournalEvent.UndoStarted(readOutcome(line));
            case "ended" -> new JournalEvent.Ended(readOutcome(line));
            default -> throw new IllegalArgumentException("unknown journal event \"" + event + "\"");
        };
    }

    String write(OperationSpec spec, List<Record> known) {
        ObjectNode root = json.createObjectNode();
        root.put("id", spec.id().toString());
        root.put("kind", spec.kind().name());
        writeTyped(root, spec.request());
        ArrayNode facts = root.putArray("known");
        known.forEach(fact -> writeTyped(facts.addObject(), fact));
        return json.writeValueAsString(root);
    }

    OperationSpec readSpec(String text) {
        JsonNode root = json.readTree(text);
        return new OperationSpec(
                OperationId.parse(root.path("id").asString()),
                OperationKind.valueOf(root.path("kind").asString()),
                readTyped(root));
    }

    List<Record> readKnown(String text) {
        return json.readTree(text)
                .path("known")
                .valueStream()
                .map(this::readTyped)
                .toList();
    }

    private OperationOutcome readOutcome(JsonNode line) {
        return json.treeToValue(line.path("value"), Outcome.class).toOutcome();
    }

    private void writeTyped(ObjectNode into, Record value) {
        into.put("type", registry.nameOf(value.getClass()));
        into.set("value", json.valueToTree(value));
    }

    private Record readTyped(JsonNode from) {
        String type = from.path("type").asString("");
        Class<? extends Record> target =
                registry.find(type).orElseThrow(() -> new IllegalArgumentException("unknown record \"" + type + "\""));
        return json.treeToValue(from.path("value"), target);
    }
}
