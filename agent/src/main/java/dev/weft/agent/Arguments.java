package dev.weft.agent;

import java.util.Map;

/** Reads the arguments of a request. */
final class Arguments {
    private Arguments() {}

    static String required(Map<String, String> arguments, String name, String what) {
        String value = arguments.get(name);
        if (value == null) {
            throw new AgentException("argument '" + name + "' is missing (expected " + what + ")");
        }
        return value;
    }

    static int number(Map<String, String> arguments, String name, int otherwise) {
        String text = arguments.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new AgentException(name + " '" + text + "' (expected a number)", e);
        }
    }
}
