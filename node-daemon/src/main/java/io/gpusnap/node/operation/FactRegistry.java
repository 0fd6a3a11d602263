package io.gpusnap.node.operation;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The record classes that may be kept in a journal, by simple name. A closed list instead of polymorphic typing: a journal
 * file can never name a class that the daemon did not choose.
 */
public final class FactRegistry {

    private final Map<String, Class<? extends Record>> classes;

    private FactRegistry(Map<String, Class<? extends Record>> classes) {
        this.classes = Map.copyOf(classes);
    }

    @SafeVarargs
    public static FactRegistry of(Class<? extends Record>... types) {
        return of(List.of(types));
    }

    /** @throws IllegalArgumentException when two classes share a simple name */
    public static FactRegistry of(Collection<Class<? extends Record>> types) {
        Map<String, Class<? extends Record>> byName = new HashMap<>();
        for (Class<? extends Record> type : types) {
            Class<? extends Record> other = byName.putIfAbsent(type.getSimpleName(), type);
            if (other != null && other != type) {
                throw new IllegalArgumentException(other.getName() + " and " + type.getName() + " share a simple name");
            }
        }
        return new FactRegistry(byName);
    }

    public FactRegistry plus(FactRegistry other) {
        List<Class<? extends Record>> all = new ArrayList<>(classes.values());
        all.addAll(other.classes.values());
        return of(all);
    }

    /** @throws IllegalArgumentException when the class is not registered */
    String nameOf(Class<? extends Record> type) {
        if (classes.get(type.getSimpleName()) != type) {
            throw new IllegalArgumentException(type.getName() + " is not registered as a fact");
        }
        return type.getSimpleName();
    }

    Optional<Class<? extends Record>> find(String name) {
        return Optional.ofNullable(classes.get(name));
    }
}
