package dev.weft.sim.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.Property;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.sal.SalPackets;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PacketExpressionTest {
    private static final String MACS = " src-mac 02:00:00:00:00:05 dst-mac 02:00:00:00:00:01";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "udp 10.0.1.5:1000 > 10.0.2.9:53@ ttl 64",
                "udp 10.0.1.5:1000 > 10.0.2.9:53@ vlan 5 priority 3 dei ttl 1 dscp 46 ecn 1 ip-id 7 df length 100",
                "udp [fd00:1::5]:1000 > [fd00:2::9]:53@ ttl 64 flow-label 99 data 0a1b",
                "udp 10.0.1.5:1000 > 10.0.2.9:53@ ttl 64 fragment 0+ length 16",
                "udp 10.0.1.5:1000 > 10.0.2.9:53@ ttl 64 checksum 0x0000 pad 18",
                "tcp 10.0.1.5:1000 > 10.0.2.9:80@ ttl 64",
                "tcp [fd00::5]:1 > [fd00::9]:2@ ttl 64 flags fin,ack,cwr seq 4294967295 ack 1 window 0 length 1",
                "tcp 10.0.1.5:1 > 10.0.2.9:2@ ttl 64 ip-options 01010101 flags none tcp-options 020405b4",
                "icmp echo-request 10.0.1.5 > 10.0.2.9@ ttl 64 seq 1 id 7 length 56",
                "icmp6 echo-reply fd00::5 > fd00::9@ ttl 64 seq 0 id 0",
                "icmp unreachable 10.0.2.1 > 10.0.1.5@ ttl 64 code 4 mtu 1400 about udp 10.0.1.5:1 > 10.0.2.9:2"
                        + " ttl 63 length 1400",
                "icmp6 packet-too-big fd00::1 > fd00::5@ ttl 64 mtu 1280 about tcp [fd00::5]:1 > [fd00::9]:2 ttl 63"
                        + " flags ack seq 5 length 9000",
                "icmp time-exceeded 10.0.2.1 > 10.0.1.5@ ttl 64 about icmp echo-request 10.0.1.5 > 10.0.2.9 ttl 0 seq 1"
                        + " id 7",
                "icmp time-exceeded 10.0.2.1 > 10.0.1.5@ ttl 64 rest 7 data 0102",
                "icmp type 42 10.0.1.5 > 10.0.2.9@ ttl 64 code 3 rest 4294967295 length 3",
                "arp request 10.0.1.5 > 10.0.1.1@",
                "arp reply 10.0.1.1 > 10.0.1.5@ sender-mac 02:00:00:00:00:77 target-mac 00:00:00:00:00:00",
                "nd solicit fd00:1::5 > fd00:1::1@ ttl 255",
                "nd solicit :: > fd00:1::1@ ttl 255",
                "nd solicit fd00:1::5 > fd00:1::1@ ttl 254 to fd00:1::1 link-mac none",
                "nd advertise fd00:1::1 > fd00:1::5@ ttl 255 flags override,router",
                "nd advertise fd00:1::1 > ff02::1@ ttl 255 flags override target fd00:1::2 link-mac 02:00:00:00:00:09",
                "sal 10.0.1.5:2 > 10.0.2.9:0@ ttl 64 flags syn verno 301094687 nonce 6813a9c4a199904f"
                        + " service 0x00004001",
                "sal 10.0.1.5:4294967295 > 10.0.2.9:3@ ttl 64 length 1408",
                "sal 10.0.1.5:2 > 10.0.2.9:0@ ttl 64 service 0x00004001 from-service 0x0000d903 data 68656c6c6f",
                "sal 10.0.1.5:2 > 10.0.2.9:3@ ttl 64 flags fin,rsyn verno 1 ackno 2 nonce 0000000000000001 bare",
                "sal 10.0.1.5:3 > 10.0.2.9:2@ ttl 64 flags ack,syn verno 7 source 10.0.1.5,10.0.1.1,10.0.2.9"
                        + " checksum 0x0000",
                "sal 10.0.1.5:2 > 10.0.2.9:0@ proto 6 ttl 64 flags syn service 0x00004001 tcp-flags syn,ack seq 5"
                        + " window 0 tcp-options 020405a801030307",
                "sal 10.0.1.5:2 > 10.0.2.9:0@ ttl 64 udp-src 54324 udp-dst 54325 flags syn service 0x00004001",
                "sal 10.0.1.5:2 > 10.0.2.9:3@ ttl 64 udp-src 40000 udp-dst 54325 udp-checksum 0x0000 length 5",
                "sal 10.0.1.5:2 > 10.0.2.9:3@ proto 47 ttl 64 bare data 0102",
                "icmp time-exceeded 10.0.2.1 > 10.0.1.5@ ttl 64 about sal 10.0.1.5:2 > 10.0.2.9:3 ttl 0 length 9",
                "ip 10.0.1.5 > 10.0.2.9@ proto 144 ttl 64 fragment 0+ length 16",
                "ip 10.0.1.5 > 10.0.2.9@ proto 47 ttl 64 length 20",
                "ip 10.0.1.5 > 10.0.2.9@ proto 17 ttl 64 ip-id 9 fragment 1480+ length 1480",
                "ip fd00::5 > fd00::9@ proto 6 ttl 64 ip-id 4294967295 fragment 8 length 3",
                "ip fd00::5 > fd00::9@ proto 59 ttl 64",
                "eth@ type 0x88cc length 46",
                "eth@ type 0x0800 data 4500"
            })
    void printsTheWordsItReads(String pattern) {
        String canonical = canonical(pattern);
        byte[] frame = PacketExpression.parse(canonical);
        assertThat(PacketExpression.print(frame)).isEqualTo(canonical);
        assertThat(PacketExpression.summary(frame)).isEqualTo(canonical);
    }

    /** Type and proto stand before the MACs; where {@code @} is, the MACs go. */
    private static String canonical(String pattern) {
        String text = pattern;
        for (String before : List.of(" proto ", " type 0x")) {
            int at = text.indexOf("@" + before);
            if (at >= 0) {
                int end = text.indexOf(' ', at + 1 + before.length());
                end = end < 0 ? text.length() : end;
                text = text.substring(0, at) + text.substring(at + 1, end) + "@" + text.substring(end);
            }
        }
        return text.replace("@", MACS);
    }

    @Test
    void saysEveryCapturedServalPacketInWords() {
        SalPackets.captured().forEach((name, octets) -> {
            byte[] frame = SalPackets.framed(octets);
            String text = PacketExpression.print(frame);
            assertThat(text).as(name).startsWith("sal 10.9.0.");
            assertThat(PacketExpression.parse(text)).as(text).isEqualTo(frame);
        });
        String forwarded =
                PacketExpression.print(SalPackets.framed(SalPackets.captured().get("C2")));
        assertThat(forwarded)
                .startsWith("sal 10.9.0.1:2 > 10.9.0.2:0 ")
                .contains(" flags syn verno 320877977 nonce f5fe678fd57770fe service 0x00004001")
                .endsWith(" source 10.9.0.1,10.9.0.3");
    }

    @Test
    void fillsInWhatIsLeftOut() {
        assertThat(PacketExpression.print(PacketExpression.parse("udp 10.0.1.5:1000 > 10.0.2.9:53")))
                .isEqualTo(
                        "udp 10.0.1.5:1000 > 10.0.2.9:53 src-mac 02:00:0a:00:01:05 dst-mac 02:00:0a:00:02:09 ttl 64");
        assertThat(PacketExpression.print(PacketExpression.parse("arp request 10.0.1.5 > 10.0.1.1")))
                .isEqualTo("arp request 10.0.1.5 > 10.0.1.1 src-mac 02:00:0a:00:01:05 dst-mac ff:ff:ff:ff:ff:ff");
        assertThat(PacketExpression.print(PacketExpression.parse("nd solicit fd00:1::5 > fd00:1::1")))
                .isEqualTo(
                        "nd solicit fd00:1::5 > fd00:1::1 src-mac 02:00:00:00:00:05 dst-mac 33:33:ff:00:00:01 ttl 255");
        assertThat(PacketExpression.print(PacketExpression.parse("udp 10.0.1.5:1 > 224.0.0.251:2")))
                .contains("dst-mac 01:00:5e:00:00:fb");
    }

    @Test
    void asksTheResolverForMacs() {
        var gateway = new MacResolver() {
            @Override
            public long srcMac(IpAddress src) {
                return UNKNOWN;
            }

            @Override
            public long dstMac(IpAddress src, IpAddress dst) {
                return MacAddress.parse("02:aa:00:00:00:01").bits();
            }
        };
        assertThat(PacketExpression.print(PacketExpression.parse("tcp 10.0.1.5:1 > 10.0.2.9:2", gateway)))
                .contains("src-mac 02:00:0a:00:01:05 dst-mac 02:aa:00:00:00:01");
    }

    @Test
    void readsOptionsInAnyOrderAndNumbersInHexadecimal() {
        assertThat(PacketExpression.parse("udp 10.0.1.5:1 > 10.0.2.9:2 length 0x10 ttl 9"))
                .isEqualTo(PacketExpression.parse("udp 10.0.1.5:1 > 10.0.2.9:2 ttl 9 length 16"));
    }

    @Test
    void buildsTheSameFramesAsAnIndependentBuilder() {
        assertThat(PacketExpression.parse("udp 10.0.1.5:1000 > 10.0.2.9:53 length 9" + MACS))
                .isEqualTo(Frames.udp("10.0.1.5:1000", "10.0.2.9:53").payload(9).bytes());
        assertThat(PacketExpression.parse("icmp6 echo-request fd00::5 > fd00::9 id 3 seq 4 vlan 7 length 5" + MACS))
                .isEqualTo(Frames.echoRequest("fd00::5", "fd00::9", 3, 4)
                        .vlan(7)
                        .payload(5)
                        .bytes());
        assertThat(PacketExpression.parse("arp reply 10.0.1.5 > 10.0.1.1" + MACS))
                .isEqualTo(Frames.arpReply("10.0.1.5", "10.0.1.1").bytes());
        assertThat(PacketExpression.parse("nd solicit fd00::5 > fd00::1 src-mac 02:00:00:00:00:05"))
                .isEqualTo(Frames.neighbourSolicitation("fd00::5", "fd00::1").bytes());
        assertThat(PacketExpression.parse("nd advertise fd00::5 > fd00::1" + MACS))
                .isEqualTo(Frames.neighbourAdvertisement("fd00::5", "fd00::1").bytes());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "|ends after word 0|udp, tcp, sal, icmp, icmp6, arp, nd, ip, eth",
                "sal 10.0.1.5 > 10.0.2.9:3|'10.0.1.5'|an IPv4 address and a flow id",
                "sal 10.0.1.5:4294967296 > 10.0.2.9:3|'10.0.1.5:4294967296'|a flow id",
                "sal [fd00::5]:1 > [fd00::9]:2|'[fd00::5]:1'|an IPv4 address",
                "sal 10.0.1.5:2 > 10.0.2.9:0 service 0x4001|'0x4001'|a service like 0x00004001",
                "sal 10.0.1.5:2 > 10.0.2.9:0 from-service 7|from-service|without service",
                "sal 10.0.1.5:2 > 10.0.2.9:0 verno 7|verno|flags",
                "sal 10.0.1.5:2 > 10.0.2.9:0 flags syn nonce 01|nonce of 1|8",
                "sal 10.0.1.5:2 > 10.0.2.9:0 source 10.0.1.1|one address|a router's",
                "sal 10.0.1.5:2 > 10.0.2.9:0 source fd00::1,10.0.0.1|'fd00::1,10.0.0.1'|IPv4 addresses",
                "sal 10.0.1.5:2 > 10.0.2.9:0 proto 47|proto 47|bare",
                "sal 10.0.1.5:2 > 10.0.2.9:0 seq 1|seq without TCP|proto 6",
                "ip 10.0.1.5 > 10.0.2.9 proto 144|proto 144|sal",
                "upd 10.0.1.5:1 > 10.0.2.9:2|word 1 at column 1: 'upd'|udp, tcp",
                "udp 10.0.1.5 > 10.0.2.9:2|word 2 at column 5: '10.0.1.5'|an address and a port",
                "udp 10.0.1.5:65536 > 10.0.2.9:2|word 2 at column 5|an address and a port",
                "udp 10.0.1.5:1 10.0.2.9:2|word 3 at column 16: '10.0.2.9:2'|'>' between",
                "udp 10.0.1.5:1 > [fd00::9]:2|word 4 at column 18|an IPv4 address and a port",
                "udp 10.0.1.5:1 > 10.0.2.9:2 tll 64|word 5 at column 29: 'tll'|src-mac, dst-mac, vlan",
                "udp 10.0.1.5:1 > 10.0.2.9:2 ttl 256|word 6 at column 33: '256'|ttl, 0..255",
                "udp 10.0.1.5:1 > 10.0.2.9:2 ttl|ends after word 5|ttl, 0..255",
                "udp 10.0.1.5:1 > 10.0.2.9:2 ttl 1 ttl 2|'ttl'|each option once",
                "udp 10.0.1.5:1 > 10.0.2.9:2 flags syn|'flags'|an option of udp",
                "tcp 10.0.1.5:1 > 10.0.2.9:2 flags syn,foo|'syn,foo'|fin, syn, rst",
                "icmp ping 10.0.1.5 > 10.0.2.9|word 2 at column 6: 'ping'|echo-request",
                "icmp echo-request fd00::5 > fd00::9|'fd00::5'|an IPv4 address",
                "icmp unreachable 10.0.1.5 > 10.0.2.9 id 7|id or seq in unreachable|only echo",
                "icmp unreachable 10.0.1.5 > 10.0.2.9 about arp request 10.0.0.1 > 10.0.0.2|'about' arp|an IP packet",
                "udp 10.0.1.5:1 > 10.0.2.9:2 fragment 1480|later fragment has no udp|proto 17",
                "udp 10.0.1.5:1 > 10.0.2.9:2 fragment 7|'7'|a multiple of 8",
                "udp 10.0.1.5:1 > 10.0.2.9:2 fragment 0+ length 3|11 octets|a multiple of 8",
                "udp 10.0.1.5:1 > 10.0.2.9:2 length 65535|UDP datagram of 65543|at most 65535",
                "ip 10.0.1.5 > 10.0.2.9 proto 47 pad 65535 length 60|a frame of 65629|at most 65593",
                "udp [::ffff:10.0.1.5]:1 > [fd00::9]:2|word 2 at column 5|an address and a port",
                "ip 10.0.1.5 > 10.0.2.9|without proto|proto 47",
                "ip 10.0.1.5 > 10.0.2.9 proto 6|proto 6|tcp",
                "eth type 0x88cc|src-mac|dst-mac",
                "udp 10.0.1.5:1 > 10.0.2.9:2 data 0|'0'|hexadecimal",
                "udp 10.0.1.5:1 > 10.0.2.9:2 length 99999999999|'99999999999'|0..65579"
            })
    void namesTheWordItCannotReadAndWhatIsAllowed(String line) {
        String[] parts = line.split("\\|");
        assertThatExceptionOfType(PacketExpressionException.class)
                .isThrownBy(() -> PacketExpression.parse(parts[0]))
                .withMessageContainingAll(parts[1], parts[2]);
    }

    @Test
    void everyFrameComesBackFromItsWords() {
        Property.check("parse(print(frame)) is the frame", 3_000, random -> {
            byte[] frame = anyFrame(random);
            if (random.nextBoolean()) {
                mutate(random, frame);
            }
            if (random.nextInt(4) == 0) {
                frame = Arrays.copyOf(frame, Math.max(14, random.nextInt(frame.length + 20)));
            }
            String text = PacketExpression.print(frame);
            byte[] back = PacketExpression.parse(text);
            assertThat(back).as(text).isEqualTo(frame);
            assertThat(PacketExpression.print(back)).isEqualTo(text);
            PacketExpression.summary(frame);
        });
    }

    @Test
    void wordsInAnyOrderGiveAPacketOrAnErrorForPeople() {
        String[] words =
                ("udp tcp sal icmp icmp6 arp nd ip eth echo-request unreachable type solicit advertise request > "
                                + "10.0.1.5:1 10.0.2.9:2 10.0.1.5 10.0.2.9 [fd00::5]:1 [fd00::9]:2 fd00::5 fd00::9 :: vlan ttl"
                                + " fragment 0+ 8 8+ 65528 0 1 7 44 59 135 65535 0xffffffff proto length data 0102 id seq mtu"
                                + " rest code about checksum pad src-mac dst-mac 02:00:00:00:00:01 none flags syn solicited"
                                + " link-mac to target service from-service 0x00004001 source 10.0.0.1,10.0.0.2 bare 6 17 nonce 0102030405060708"
                                + " verno udp-src udp-checksum tcp-flags ip-id ip-options 01010101 tcp-options flow-label df dei priority")
                        .split(" ");
        List<String> starts = List.of(
                "",
                "udp 10.0.1.5:1 > 10.0.2.9:2 ",
                "sal 10.0.1.5:1 > 10.0.2.9:2 ",
                "icmp unreachable 10.0.1.5 > 10.0.2.9 ",
                "icmp6 type 135 fd00::5 > fd00::9 ",
                "nd solicit fd00::5 > fd00::9 ",
                "ip fd00::5 > fd00::9 proto 59 ");
        Property.check("any words", 20_000, random -> {
            var text = new StringBuilder(starts.get(random.nextInt(starts.size())));
            for (int i = random.nextInt(9); i > 0; i--) {
                text.append(words[random.nextInt(words.length)]).append(' ');
            }
            byte[] frame;
            try {
                frame = PacketExpression.parse(text.toString());
            } catch (PacketExpressionException forPeople) {
                assertThat(forPeople).message().startsWith("packet expression");
                return;
            }
            assertThat(PacketExpression.parse(PacketExpression.print(frame)))
                    .as(text.toString())
                    .isEqualTo(frame);
        });
    }

    private static void mutate(RandomGenerator random, byte[] frame) {
        for (int i = random.nextInt(4); i >= 0; i--) {
            frame[random.nextInt(frame.length)] = (byte) random.nextInt(256);
        }
    }

    private static byte[] anyFrame(RandomGenerator random) {
        if (random.nextInt(6) == 0) {
            List<byte[]> captured = List.copyOf(SalPackets.captured().values());
            byte[] sal = SalPackets.framed(captured.get(random.nextInt(captured.size())));
            return random.nextBoolean() ? sal : SalPackets.encapsulated(sal, random.nextInt(65536), 54325);
        }
        boolean v4 = random.nextBoolean();
        String a = v4 ? "10.0.1.5" : "fd00:1::5";
        String b = v4 ? "10.0.2.9" : "fd00:2::9";
        String end = ":" + random.nextInt(65536);
        String from = (v4 ? a : "[" + a + "]") + end;
        String to = (v4 ? b : "[" + b + "]") + end;
        var frame =
                switch (random.nextInt(9)) {
                    case 0 -> Frames.udp(from, to);
                    case 1 -> Frames.tcp(from, to).flags(random.nextInt(256)).tcpOptions(4 * random.nextInt(11));
                    case 2 -> Frames.echoRequest(a, b, random.nextInt(65536), 1);
                    case 3 -> Frames.arpReply("10.0.1.5", "10.0.1.1");
                    case 4 -> Frames.neighbourSolicitation("fd00::5", "fd00::1");
                    case 5 -> Frames.neighbourAdvertisement("fd00::5", "fd00::1");
                    case 6 ->
                        Frames.icmp(a, b, v4 ? 3 : 1, 4, 1400)
                                .payload(Arrays.copyOfRange(
                                        Frames.udp(from, to).payload(9).bytes(), 14, 14 + 30));
                    case 7 -> Frames.ip(a, b, random.nextInt(256));
                    default -> Frames.ethernet(random.nextInt(65536));
                };
        if (random.nextInt(4) == 0) {
            frame.vlan(random.nextInt(65536));
        }
        if (random.nextInt(4) == 0) {
            frame.ttl(random.nextInt(256)).dscp(random.nextInt(64));
        }
        return frame.bytes();
    }
}
