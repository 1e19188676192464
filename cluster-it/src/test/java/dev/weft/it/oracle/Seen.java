package dev.weft.it.oracle;

/**
 * A frame at a VM: that it sends, or that came to it.
 *
 * @param vm its name
 */
record Seen(String vm, String srcMac, String dstMac, IpPacket packet) {
    byte[] bytes() {
        return packet.frame().from(srcMac).to(dstMac).bytes();
    }

    /** What the VM sends back to where it came from. */
    Seen back(IpPacket answer) {
        return new Seen(vm, dstMac, srcMac, answer);
    }

    Seen withTtl(int ttl) {
        return new Seen(vm, srcMac, dstMac, packet.withTtl(ttl));
    }

    Seen blurred() {
        return new Seen(vm, srcMac, dstMac, packet.blurred());
    }

    @Override
    public String toString() {
        return vm + ": " + packet + " (" + srcMac + " > " + dstMac + ")";
    }
}
