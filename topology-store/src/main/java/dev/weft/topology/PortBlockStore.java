package dev.weft.topology;

import dev.weft.base.IpAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/**
 * Who may give out which public ports: one persistent node for each block of a pool's ports, so that a lost session
 * frees nothing. Answers come as futures on the store thread, failed with a {@link TopologyException} when the server is
 * away: ask again later. Thread safe.
 *
 * <pre>
 * /weft/nat/&lt;pool&gt;                       ports in a block, as text: fixed by who came first
 * /weft/nat/&lt;pool&gt;/&lt;address&gt;/&lt;number&gt;   block {@code number} covers ports number * size and on;
 *                                         "&lt;owner's host&gt; &lt;worker&gt; &lt;epoch&gt; open|closing"
 * </pre>
 */
public final class PortBlockStore {
    private final StoreConnection connection;

    public PortBlockStore(StoreConnection connection) {
        this.connection = connection;
    }

    /** One block of one address of a pool. */
    public record Block(UUID pool, IpAddress address, int number) {}

    /**
     * Whose a block is.
     *
     * @param epoch of the agent that claimed it
     * @param open new connections may get its ports
     */
    public record Owner(UUID host, int worker, int epoch, boolean open) {
        String print() {
            return host + " " + worker + " " + epoch + " " + (open ? "open" : "closing");
        }

        static Optional<Owner> tryParse(String text) {
            String[] words = text.split(" ");
            try {
                return words.length == 4 && (words[3].equals("open") || words[3].equals("closing"))
                        ? Optional.of(new Owner(
                                UUID.fromString(words[0]),
                                Integer.parseInt(words[1]),
                                Integer.parseInt(words[2]),
                                words[3].equals("open")))
                        : Optional.empty();
            } catch (IllegalArgumentException broken) {
                return Optional.empty();
            }
        }
    }

    /**
     * A block as it is in the store.
     *
     * @param version for {@link #take} and {@link #release}
     * @param changedMillis when it was written last, by the server's clock, in milliseconds since 1970
     */
    public record Held(Block block, Owner owner, int version, long changedMillis) {}

    /** Ports in each block of the pool: {@code wanted} if nobody has said before. */
    public CompletableFuture<Integer> blockSize(UUID pool, int wanted) {
        return make(ZkPaths.natPool(pool), Integer.toString(wanted))
                .thenCompose(made -> read(ZkPaths.natPool(pool)))
                .thenApply(text -> Integer.parseInt(text.text()));
    }

    /** All blocks of an address that somebody has. A node that cannot be read counts as somebody's. */
    public CompletableFuture<List<Held>> held(UUID pool, IpAddress address) {
        return children(ZkPaths.natAddress(pool, address)).thenCompose(numbers -> {
            var reads = new HashMap<Block, CompletableFuture<Content>>();
            for (String number : numbers) {
                var block = new Block(pool, address, Integer.parseInt(number));
                reads.put(block, read(path(block)));
            }
            return CompletableFuture.allOf(reads.values().toArray(new CompletableFuture<?>[0]))
                    .thenApply(all -> held(reads));
        });
    }

    private static List<Held> held(Map<Block, CompletableFuture<Content>> reads) {
        var held = new ArrayList<Held>();
        reads.forEach((block, read) -> {
            Content content = read.join();
            if (content.version() != Content.ABSENT) {
                held.add(new Held(
                        block,
                        Owner.tryParse(content.text()).orElse(new Owner(new UUID(0, 0), 0, 0, false)),
                        content.version(),
                        content.changedMillis()));
            }
        });
        return held;
    }

    /** True: it is the owner's now. False: somebody has it. */
    public CompletableFuture<Boolean> claim(Block block, Owner owner) {
        return make(ZkPaths.natAddress(block.pool(), block.address()), "")
                .thenCompose(made -> make(path(block), owner.print()));
    }

    /** Writes another owner, or another state, unless somebody else has done so meanwhile: then false. */
    public CompletableFuture<Boolean> take(Held held, Owner owner) {
        return call((zk, answer) -> zk.setData(
                path(held.block()),
                bytes(owner.print()),
                held.version(),
                (rc, path, context, stat) -> settle(answer, rc, path, true, false, Code.BADVERSION, Code.NONODE),
                null));
    }

    /** Gives it back; false: it was somebody else's already. */
    public CompletableFuture<Boolean> release(Held held) {
        return call((zk, answer) -> zk.delete(
                path(held.block()),
                held.version(),
                (rc, path, context) -> settle(answer, rc, path, true, false, Code.BADVERSION, Code.NONODE),
                null));
    }

    private record Content(String text, int version, long changedMillis) {
        static final int ABSENT = -1;
        static final Content NONE = new Content("", ABSENT, 0);
    }

    private interface Call<T> {
        void on(ZooKeeper zk, CompletableFuture<T> answer);
    }

    private <T> CompletableFuture<T> call(Call<T> call) {
        var answer = new CompletableFuture<T>();
        connection.execute(() -> {
            ZooKeeper zk = connection.session();
            if (zk == null) {
                answer.completeExceptionally(new TopologyException("no connection to " + connection.connectString()));
            } else {
                call.on(zk, answer);
            }
        });
        return answer;
    }

    /** True: made. False: it was there. */
    private CompletableFuture<Boolean> make(String path, String content) {
        return call((zk, answer) -> zk.create(
                path,
                bytes(content),
                ZooDefs.Ids.OPEN_ACL_UNSAFE,
                CreateMode.PERSISTENT,
                (rc, asked, context, name) -> settle(answer, rc, asked, true, false, Code.NODEEXISTS, Code.NODEEXISTS),
                null));
    }

    private CompletableFuture<List<String>> children(String path) {
        return call((zk, answer) -> zk.getChildren(
                path,
                false,
                (rc, asked, context, names) -> settle(
                        answer, rc, asked, names == null ? List.of() : names, List.of(), Code.NONODE, Code.NONODE),
                null));
    }

    private CompletableFuture<Content> read(String path) {
        return call((zk, answer) -> zk.getData(
                path,
                false,
                (rc, asked, context, data, stat) ->
                        settle(answer, rc, asked, content(data, stat), Content.NONE, Code.NONODE, Code.NONODE),
                null));
    }

    private static Content content(byte[] data, Stat stat) {
        return data == null
                ? Content.NONE
                : new Content(new String(data, StandardCharsets.UTF_8), stat.getVersion(), stat.getMtime());
    }

    private <T> void settle(
            CompletableFuture<T> answer, int rc, String path, T well, T otherwise, Code expected, Code alsoExpected) {
        Code code = Code.get(rc);
        connection.execute(() -> {
            if (code == Code.OK) {
                answer.complete(well);
            } else if (code == expected || code == alsoExpected) {
                answer.complete(otherwise);
            } else {
                answer.completeExceptionally(
                        new TopologyException(path + ": " + code, KeeperException.create(code, path)));
            }
        });
    }

    private static String path(Block block) {
        return ZkPaths.natAddress(block.pool(), block.address()) + "/" + block.number();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
