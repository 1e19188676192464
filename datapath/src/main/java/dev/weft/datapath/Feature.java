package dev.weft.datapath;

/**
 * Something of the machine that a kind of datapath uses.
 *
 * @param kind of datapath
 * @param needed whether the kind cannot work without it
 * @param there whether this machine has it, for this process
 * @param detail what was found, or what to do about it
 */
public record Feature(String kind, String name, boolean needed, boolean there, String detail) {}
