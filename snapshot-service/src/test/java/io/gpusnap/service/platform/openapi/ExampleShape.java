package io.gpusnap.service.platform.openapi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/** Compares an example with its schema: every required member there, no unknown one, right JSON types, known constants. */
final class ExampleShape {
    private ExampleShape() {}

    static void check(JsonNode description, JsonNode schema, JsonNode example, String where) {
        JsonNode resolved = resolve(description, schema);
        if (resolved.has("properties")) {
            assertThat(example.isObject()).as(where + " is an object").isTrue();
            resolved.path("required")
                    .forEach(required -> assertThat(example.has(required.asString()))
                            .as(where + " has " + required.asString())
                            .isTrue());
            example.properties().forEach(member -> {
                assertThat(resolved.path("properties").has(member.getKey()))
                        .as(where + " knows " + member.getKey())
                        .isTrue();
                check(
                        description,
                        resolved.path("properties").path(member.getKey()),
                        member.getValue(),
                        where + "/" + member.getKey());
            });
        } else if (resolved.has("items")) {
            assertThat(example.isArray()).as(where + " is an array").isTrue();
            example.forEach(item -> check(description, resolved.path("items"), item, where + "/*"));
        } else {
            checkScalar(resolved, example, where);
        }
    }

    private static void checkScalar(JsonNode schema, JsonNode example, String where) {
        if (schema.has("enum")) {
            List<String> constants = StreamSupport.stream(schema.path("enum").spliterator(), false)
                    .map(JsonNode::asString)
                    .toList();
            assertThat(constants).as(where).contains(example.asString());
        }
        switch (schema.path("type").asString("")) {
            case "string" ->
                assertThat(example.isString()).as(where + " is text").isTrue();
            case "integer" ->
                assertThat(example.isIntegralNumber())
                        .as(where + " is a whole number")
                        .isTrue();
            case "number" ->
                assertThat(example.isNumber()).as(where + " is a number").isTrue();
            case "boolean" ->
                assertThat(example.isBoolean()).as(where + " is true or false").isTrue();
            default ->
                assertThat(example.isObject()).as(where + " is an object").isTrue();
        }
    }

    private static JsonNode resolve(JsonNode description, JsonNode schema) {
        String reference = schema.path("$ref").asString("");
        return reference.isEmpty() ? schema : description.at(reference.substring(1));
    }
}
