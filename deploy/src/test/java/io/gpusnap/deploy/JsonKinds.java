package io.gpusnap.deploy;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Compares of which kinds two JSON documents are, path by path. Of text only that it is text: quantities and dates are written
 * in more than one way. Of numbers also the value, since {@code 1.5} read as a whole number is another one.
 */
final class JsonKinds {
    private JsonKinds() {}

    /** Where the second one is not of the first one's kind; what it has besides does not count. */
    static List<String> differences(JsonElement said, JsonElement read) {
        List<String> differences = new ArrayList<>();
        compare("", said, read, differences);
        return differences;
    }

    private static void compare(String path, JsonElement said, @Nullable JsonElement read, List<String> differences) {
        if (!kind(said).equals(kind(read))) {
            differences.add(path + ": " + said + " is " + kind(said) + " and should be " + kind(read));
        } else if (said instanceof JsonObject object && read instanceof JsonObject other) {
            object.asMap().forEach((key, value) -> compare(path + "." + key, value, other.get(key), differences));
        } else if (said instanceof JsonArray list && read instanceof JsonArray other) {
            for (int i = 0; i < list.size(); i++) {
                compare(path + "[" + i + "]", list.get(i), other.get(i), differences);
            }
        }
    }

    private static String kind(@Nullable JsonElement element) {
        if (element instanceof JsonPrimitive one) {
            return one.isNumber()
                    ? "the number " + one.getAsBigDecimal().stripTrailingZeros().toPlainString()
                    : one.isBoolean() ? "a boolean" : "text";
        }
        if (element instanceof JsonArray list) {
            return "a list of " + list.size();
        }
        return element instanceof JsonObject ? "an object" : "nothing";
    }
}
