package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Vm;

/**
 * A prepared way from one VM to another, whatever carries the packets between. All ways that are compared have VMs with
 * the same addresses, so that one set of frames fits them all. The lab that made it removes it.
 *
 * @param name for people: "Linux bridge"
 */
record Path(String name, Vm sender, Vm receiver) {
    /** The same way in the other direction. */
    Path back() {
        return new Path(name + ", back", receiver, sender);
    }

    @Override
    public String toString() {
        return name;
    }
}
