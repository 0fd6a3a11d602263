package io.gpusnap.service.kubernetes.crd;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.projectnessie.cel.checker.Decls;
import org.projectnessie.cel.tools.Script;
import org.projectnessie.cel.tools.ScriptException;
import org.projectnessie.cel.tools.ScriptHost;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What an API server checks of a custom resource, outside of one: the structural schema (unknown fields are errors, as with
 * strict validation) and the CEL rules, those over {@code oldSelf} for updates only.
 */
public final class CrdRules {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final ScriptHost CEL = ScriptHost.newBuilder().build();

    private final JSONSchemaProps schema;
    private final List<String> errors = new ArrayList<>();
    private final List<Runnable> rules = new ArrayList<>();

    private CrdRules(JSONSchemaProps schema) {
        this.schema = schema;
    }

    /** Everything that is wrong with it; {@code old} is null for a new one. */
    public static List<String> errors(CustomResourceDefinition crd, JsonNode object, @Nullable JsonNode old) {
        CrdRules check = new CrdRules(
                crd.getSpec().getVersions().getFirst().getSchema().getOpenAPIV3Schema());
        check.fields(check.schema, object, old, "");
        if (check.errors.isEmpty()) { // as the API server: rules may rely on the schema
            check.rules.forEach(Runnable::run);
        }
        return List.copyOf(check.errors);
    }

    private void fields(JSONSchemaProps props, JsonNode object, @Nullable JsonNode old, String path) {
        for (String required : Objects.requireNonNullElse(props.getRequired(), List.<String>of())) {
            if (!object.has(required)) {
                errors.add(join(path, required) + ": Required value");
            }
        }
        for (String name : object.propertyNames()) {
            JSONSchemaProps of = known(props).get(name);
            if (of != null) {
                check(of, object.get(name), old == null ? null : old.get(name), join(path, name));
            } else if (props.getAdditionalProperties() != null) {
                check(
                        props.getAdditionalProperties().getSchema(),
                        object.get(name),
                        old == null ? null : old.get(name),
                        join(path, name));
            } else if (!path.isEmpty() || !List.of("apiVersion", "kind", "metadata").contains(name)) {
                errors.add(join(path, name) + ": Unknown field");
            }
        }
    }

    private static Map<String, JSONSchemaProps> known(JSONSchemaProps props) {
        return Objects.requireNonNullElse(props.getProperties(), Map.of());
    }

    private void check(JSONSchemaProps props, JsonNode value, @Nullable JsonNode old, String path) {
        if (!typeFits(props.getType(), value)) {
            errors.add(path + ": Invalid type, must be " + props.getType());
            return;
        }
        if (props.getEnum() != null
                && !props.getEnum().isEmpty()
                && props.getEnum().stream().noneMatch(one -> JSON.valueToTree(one).equals(value))) {
            errors.add(path + ": Unsupported value");
        }
        bounds(props, value, path);
        switch (props.getType()) {
            case "object" -> fields(props, value, old, path);
            case "array" -> {
                for (int i = 0; i < value.size(); i++) {
                    // items of a list have no identity of their own: no rule over oldSelf reaches them
                    check(props.getItems().getSchema(), value.get(i), null, path + "[" + i + "]");
                }
            }
            default -> {}
        }
        for (ValidationRule rule :
                Objects.requireNonNullElse(props.getXKubernetesValidations(), List.<ValidationRule>of())) {
            if (old != null || !rule.getRule().contains("oldSelf")) {
                rules.add(() -> {
                    if (!holds(rule.getRule(), value, old)) {
                        errors.add(path + ": " + rule.getMessage());
                    }
                });
            }
        }
    }

    private static boolean typeFits(String type, JsonNode value) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isString();
            case "integer" -> value.isIntegralNumber();
            case "number" -> value.isNumber();
            case "boolean" -> value.isBoolean();
            default -> throw new IllegalArgumentException(type);
        };
    }

    private void bounds(JSONSchemaProps props, JsonNode value, String path) {
        boolean fits = (props.getMinimum() == null || value.asDouble() >= props.getMinimum())
                && (props.getMaximum() == null || value.asDouble() <= props.getMaximum())
                && (props.getPattern() == null
                        || Pattern.compile(props.getPattern())
                                .matcher(value.asString())
                                .find())
                && (props.getMinLength() == null || value.asString().length() >= props.getMinLength())
                && (props.getMaxLength() == null || value.asString().length() <= props.getMaxLength())
                && (props.getMaxItems() == null || value.size() <= props.getMaxItems());
        if (!fits) {
            errors.add(path + ": Invalid value");
        }
    }

    private static boolean holds(String rule, JsonNode self, @Nullable JsonNode old) {
        Map<String, Object> variables = new HashMap<>();
        variables.put("self", JSON.convertValue(self, Object.class));
        if (old != null) {
            variables.put("oldSelf", JSON.convertValue(old, Object.class));
        }
        try {
            Script script = CEL.buildScript(rule)
                    .withDeclarations(Decls.newVar("self", Decls.Dyn), Decls.newVar("oldSelf", Decls.Dyn))
                    .build();
            return script.execute(Boolean.class, variables);
        } catch (ScriptException e) {
            throw new AssertionError(rule, e);
        }
    }

    private static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }
}
