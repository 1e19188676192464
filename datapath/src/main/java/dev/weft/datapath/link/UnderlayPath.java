package dev.weft.datapath.link;

import dev.weft.base.IpAddress;
import java.util.Optional;

/**
 * How the kernel would reach one address now.
 *
 * @param link it leaves by
 * @param gateway empty when the destination is on the link
 * @param source address the kernel would use
 * @param mtu in bytes: the route's own where one is set, else the link's
 * @param local the destination is an address of this namespace
 */
public record UnderlayPath(
        IpAddress destination,
        Link link,
        Optional<IpAddress> gateway,
        Optional<IpAddress> source,
        int mtu,
        boolean local) {}
