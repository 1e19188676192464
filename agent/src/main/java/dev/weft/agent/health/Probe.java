package dev.weft.agent.health;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One question to one member. Touched only by its event loop; answers once. */
final class Probe extends ChannelInboundHandlerAdapter {
    /** {@code HTTP/1.1 200}: what is needed of an answer. */
    private static final int STATUS_LENGTH = 12;

    private final Target target;
    private final Consumer<Boolean> answer;
    private final StringBuilder status = new StringBuilder();
    private @Nullable Channel channel;
    private boolean done;

    private Probe(Target target, Consumer<Boolean> answer) {
        this.target = target;
        this.answer = answer;
    }

    /**
     * @param answer hears on the loop whether the member is well
     * @throws IOException when there is no socket to ask by
     */
    static void send(Target target, Places places, EventLoop loop, Consumer<Boolean> answer) throws IOException {
        var probe = new Probe(target, answer);
        int timeoutMillis = (int) target.timeout().toMillis();
        boolean udp = target.kind() == Target.Kind.UDP;
        Channel channel = udp
                ? new NioDatagramChannel(places.datagrams(target.router(), target.address()))
                : new NioSocketChannel(places.stream(target.router(), target.address()));
        var bootstrap =
                new Bootstrap().group(loop).channelFactory(() -> channel).handler(probe);
        if (!udp) {
            bootstrap.option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis);
        }
        loop.schedule(() -> probe.finish(udp), timeoutMillis, TimeUnit.MILLISECONDS);
        bootstrap
                .connect(new InetSocketAddress(target.address().toInetAddress(), target.port()))
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        probe.finish(false);
                    }
                });
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        channel = context.channel();
        if (done) {
            context.close();
            return;
        }
        switch (target.kind()) {
            case TCP -> finish(true);
            case HTTP ->
                context.writeAndFlush(Unpooled.copiedBuffer(
                        "GET " + target.path() + " HTTP/1.1\r\nHost: " + target.address()
                                + "\r\nUser-Agent: weft\r\nConnection: close\r\n\r\n",
                        StandardCharsets.US_ASCII));
            case UDP -> {
                var to = new InetSocketAddress(target.address().toInetAddress(), target.port());
                context.writeAndFlush(new DatagramPacket(Unpooled.wrappedBuffer(new byte[1]), to));
            }
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        try {
            if (target.kind() == Target.Kind.UDP) {
                finish(true);
            } else if (message instanceof ByteBuf bytes) {
                status.append(bytes.toString(StandardCharsets.US_ASCII));
                if (status.length() >= STATUS_LENGTH) {
                    finish(status.toString().matches("(?s)HTTP/1\\.[01] [23].*"));
                }
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    /** Closed before it answered, or refused: of UDP, by an ICMP error. */
    @Override
    public void channelInactive(ChannelHandlerContext context) {
        finish(false);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        finish(false);
    }

    private void finish(boolean well) {
        if (!done) {
            done = true;
            Channel open = channel;
            if (open != null) {
                open.close();
            }
            answer.accept(well);
        }
    }
}
