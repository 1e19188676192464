package dev.weft.datapath;

/**
 * Something of the machine that a kind of datapath needs.
 *
 * @param kind of datapath
 * @param there whether this machine has it, for this process
 * @param detail what was found, or what to do about it
 */
public record Feature(String kind, String name, boolean there, String detail) {}
