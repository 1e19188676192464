package dev.weft.datapath.userspace;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.soft.SoftDatapath;
import dev.weft.datapath.soft.SoftPort.SendResult;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tunnel's UDP socket: epoll where it is, NIO elsewhere. The kernel fragments datagrams longer than the underlay's
 * MTU. The source port is fixed at the tunnel's: a socket per port would be needed to spread flows over paths.
 *
 * <p>One event loop receives, so frames of one sender arrive in order; any thread sends, and keeps its own order.
 */
final class VxlanSocket implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VxlanSocket.class);
    private static final int LONGEST_DATAGRAM = 65_536;
    private static final int SOCKET_BUFFER_BYTES = 4 << 20;
    private static final int UNSENT_LIMIT_BYTES = 16 << 20;

    private final DatapathConfig config;
    private final EventLoopGroup loop;
    private final Channel channel;
    private final Runnable failure;
    private final ConcurrentHashMap<IpAddress, InetSocketAddress> remotes = new ConcurrentHashMap<>();

    /** Takes datagrams from the event loop; the memory is valid until the call returns. */
    @FunctionalInterface
    interface Receiver {
        void onDatagram(long sourceHigh, long sourceLow, MemorySegment datagram, int length);
    }

    /** @param failure counts a datagram that was accepted here and refused by the kernel */
    VxlanSocket(DatapathConfig config, Receiver receiver, Runnable failure) {
        this.config = config;
        this.failure = failure;
        boolean epoll = Epoll.isAvailable();
        loop = new MultiThreadIoEventLoopGroup(
                1,
                new DefaultThreadFactory("weft-tunnel", true),
                epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        channel = bind(epoll, receiver);
    }

    private Channel bind(boolean epoll, Receiver receiver) {
        SocketProtocolFamily family = config.underlay().isV4() ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
        ChannelFactory<Channel> channels =
                () -> epoll ? new EpollDatagramChannel(family) : new NioDatagramChannel(family);
        var bound = new Bootstrap()
                .group(loop)
                .channelFactory(channels)
                .option(ChannelOption.SO_RCVBUF, SOCKET_BUFFER_BYTES)
                .option(ChannelOption.SO_SNDBUF, SOCKET_BUFFER_BYTES)
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(LONGEST_DATAGRAM))
                .option(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(UNSENT_LIMIT_BYTES / 2, UNSENT_LIMIT_BYTES))
                .handler(new Handler(receiver))
                .bind(config.underlay().toInetAddress(), config.tunnelPort())
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw new DatapathException(
                    "tunnel socket " + config.underlay() + " port " + config.tunnelPort() + " cannot be bound: "
                            + bound.cause().getMessage()
                            + "; the underlay address must be one of this host's, and no other agent or vxlan"
                            + " device may hold the port",
                    bound.cause());
        }
        return bound.channel();
    }

    SendResult send(long remoteHigh, long remoteLow, int vni, MemorySegment frame, long offset, int length) {
        if (length + VxlanHeader.LENGTH > LONGEST_DATAGRAM - 48) {
            return SendResult.TOO_BIG;
        }
        if (!channel.isWritable()) {
            return SendResult.FAILED;
        }
        InetSocketAddress remote = remotes.computeIfAbsent(
                new IpAddress(remoteHigh, remoteLow),
                address -> new InetSocketAddress(address.toInetAddress(), config.tunnelPort()));
        ByteBuf datagram = channel.alloc().directBuffer(VxlanHeader.LENGTH + length);
        datagram.writeInt(VxlanHeader.flags()).writeInt(VxlanHeader.vniWord(vni));
        datagram.writeBytes(frame.asSlice(offset, length).asByteBuffer());
        channel.writeAndFlush(new DatagramPacket(datagram, remote)).addListener(sent -> {
            if (!sent.isSuccess()) {
                failure.run();
            }
        });
        return SendResult.SENT;
    }

    @Override
    public void close() {
        channel.close().awaitUninterruptibly();
        loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    /** Owned by the event loop. */
    private static final class Handler extends SimpleChannelInboundHandler<DatagramPacket> {
        private final Receiver receiver;
        private final byte[] bytes = new byte[Math.max(LONGEST_DATAGRAM, SoftDatapath.MAX_FRAME)];
        private final MemorySegment memory = MemorySegment.ofArray(bytes);

        Handler(Receiver receiver) {
            this.receiver = receiver;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, DatagramPacket datagram) {
            int length = datagram.content().readableBytes();
            datagram.content().readBytes(bytes, 0, length);
            var source = IpAddress.ofOctets(datagram.sender().getAddress().getAddress());
            receiver.onDatagram(source.high(), source.low(), memory, length);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // The socket lives on: one datagram was at fault, or an ICMP error came back for one we sent.
            LOG.warn("tunnel: a datagram was not handled", cause);
        }
    }
}
