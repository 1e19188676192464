package dev.weft.datapath;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Every kind of datapath answers probes. A kind's test extends it and says how hosts are made. */
public abstract class ProbeContract extends DatapathSuite {
    @Test
    void aProbeIsAnsweredByTheDatapathItself() {
        TestHost asker = host(underlay(1), 1);
        TestHost asked = host(underlay(2), 1);
        asker.datapath().setPeers(Set.of(underlay(2)));
        asked.datapath().setPeers(Set.of(underlay(1)));
        var question = MemorySegment.ofArray(new byte[ProbeFrame.LENGTH]);
        ProbeFrame.writeQuestion(question, 0, 0x1234_5678_9abcL);

        asker.datapath()
                .worker(0)
                .execute(
                        question,
                        0,
                        ProbeFrame.LENGTH,
                        FlowKey.TUNNEL_PORT,
                        actions(list ->
                                list.tunnel(underlay(2).high(), underlay(2).low(), Datapath.PROBE_KEY, 0)));

        Upcall answer = upcalls(asker, 1).getFirst();
        assertThat(answer.tunnelKey()).isEqualTo(Datapath.PROBE_KEY);
        var frame = MemorySegment.ofArray(answer.frame());
        assertThat(ProbeFrame.isAnswer(frame, 0, ProbeFrame.LENGTH)).isTrue();
        assertThat(ProbeFrame.token(frame, 0)).isEqualTo(0x1234_5678_9abcL);
        assertThat(poll(asked)).isEmpty();
    }

    @Test
    void aStrangersProbeIsNotAnswered() {
        TestHost asker = host(underlay(1), 1);
        TestHost asked = host(underlay(2), 1);
        asker.datapath().setPeers(Set.of(underlay(2)));
        var question = MemorySegment.ofArray(new byte[ProbeFrame.LENGTH]);
        ProbeFrame.writeQuestion(question, 0, 1);
        asker.datapath()
                .worker(0)
                .execute(
                        question,
                        0,
                        ProbeFrame.LENGTH,
                        FlowKey.TUNNEL_PORT,
                        actions(list ->
                                list.tunnel(underlay(2).high(), underlay(2).low(), Datapath.PROBE_KEY, 0)));
        awaitDrops(asked, "unknown-peer", 1);
        assertThat(poll(asker)).isEmpty();
    }
}
