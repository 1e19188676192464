package dev.weft.base;

import java.util.Optional;

/**
 * The name of a service: 256 bits, compared as a bit string, as four words with the first bit highest. Its text is
 * {@code 0x} and whole 32-bit words in hexadecimal, those at the end that are 0 left out: {@code 0x00004001}. A decimal
 * number is also read; as Serval's own tools have it, it stands in the first 32 bits (16385 is {@code 0x00004001}).
 */
public record ServiceId(long word0, long word1, long word2, long word3) {
    public static final int BITS = 256;
    private static final int DIGITS = BITS / 4;
    private static final int WORD_DIGITS = 8;
    private static final String FORM =
            "0x and 8, 16, ... or 64 hexadecimal digits, or a decimal number up to 4294967295, like 0x00004001 or 16385";

    /** The number in the first 32 bits. */
    public static ServiceId of(int first) {
        return new ServiceId((long) first << 32, 0, 0, 0);
    }

    public static ServiceId parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new IllegalArgumentException("service '" + text + "' (expected " + FORM + ")"));
    }

    public static Optional<ServiceId> tryParse(String text) {
        if (text.matches("0|[1-9][0-9]{0,9}")) {
            long number = Long.parseLong(text);
            return number > 0xffff_ffffL ? Optional.empty() : Optional.of(of((int) number));
        }
        String digits = text.startsWith("0x") ? text.substring(2) : "";
        if (digits.isEmpty()
                || digits.length() % WORD_DIGITS != 0
                || !digits.matches("[0-9a-fA-F]{1," + DIGITS + "}")) {
            return Optional.empty();
        }
        String whole = digits + "0".repeat(DIGITS - digits.length());
        return Optional.of(new ServiceId(word(whole, 0), word(whole, 1), word(whole, 2), word(whole, 3)));
    }

    private static long word(String digits, int index) {
        return Long.parseUnsignedLong(digits, 16 * index, 16 * index + 16, 16);
    }

    /** @param index 0..3 */
    public long word(int index) {
        return switch (index) {
            case 0 -> word0;
            case 1 -> word1;
            case 2 -> word2;
            case 3 -> word3;
            default -> throw new IllegalArgumentException("word " + index + " of a service (expected 0..3)");
        };
    }

    @Override
    public String toString() {
        String digits = "%016x%016x%016x%016x".formatted(word0, word1, word2, word3);
        int end = DIGITS;
        while (end > WORD_DIGITS && digits.startsWith("00000000", end - WORD_DIGITS)) {
            end -= WORD_DIGITS;
        }
        return "0x" + digits.substring(0, end);
    }
}
