package dev.weft.it;

import java.util.Map;

/** An agent's status document, read by the way to a figure: {@code number("datapath", "hits")}. */
record AgentStatus(Map<String, Object> document) {
    /** @throws AssertionError when there is no such figure, with the document */
    long number(String... path) {
        if (at(path) instanceof Long number) {
            return number;
        }
        throw new AssertionError("status has no number " + String.join(".", path) + ": " + document);
    }

    /** 0 for a counter that is not listed. */
    long counter(String... path) {
        return at(path) instanceof Long number ? number : 0;
    }

    private Object at(String... path) {
        Object value = document;
        for (String step : path) {
            value = value instanceof Map<?, ?> object ? object.get(step) : null;
        }
        return value == null ? "absent" : value;
    }
}
