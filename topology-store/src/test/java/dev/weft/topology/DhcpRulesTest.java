package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Message;
import dev.weft.topology.schema.DhcpSubnet;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DhcpRulesTest {
    private static final String GOOD = "subnet: 10.0.1.0/24, router: 10.0.1.1";

    private static TopologySnapshot offline(String dhcp) {
        return ChangeSet.offlineSnapshot(new TopologyReader()
                .text("net.yaml", "tenant: t\nbridges:\n  - {name: b, dhcp: [" + dhcp + "]}\n")
                .desired());
    }

    private static String problem(String dhcp) {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline(dhcp));
        assertThat(refused).as("refusal of " + dhcp).isNotNull();
        assertThat(refused.problems()).as(dhcp).hasSize(1);
        return refused.problems().getFirst().toString();
    }

    private static String problemWith(String more) {
        return problem("{" + GOOD + ", " + more + "}");
    }

    @Test
    void everyFieldIsReadAndWrittenBack() {
        var net = offline("{" + GOOD
                + ", server: 10.0.1.2, dns: [10.0.1.3, 9.9.9.9], domain: example.test, ntp: [10.0.1.4], vlan: 10,"
                + " routes: [{destination: 10.9.0.0/16, gateway: 10.0.1.7}], mtu: 1400, lease_seconds: 3600,"
                + " options: [{code: 66, text: boot.example}],"
                + " hosts: [{mac: \"02:00:00:00:00:05\", address: 10.0.1.5, name: web,"
                + " options: [{code: 43, hex: 0a0b}]}]}");
        var all = new ArrayList<Message>();
        Schema.kinds().forEach(kind -> all.addAll(net.all(kind)));
        String yaml = new TopologyWriter(net).yaml(all);
        var again = ChangeSet.offlineSnapshot(
                new TopologyReader().text("again.yaml", yaml).desired());
        assertThat(List.copyOf(again.bridges())).isEqualTo(List.copyOf(net.bridges()));
        DhcpSubnet subnet = net.bridges().iterator().next().getDhcp(0);
        assertThat(subnet.getHosts(0).getOptions(0).getHex()).isEqualTo("0a0b");
    }

    @Test
    void aServerNeedsAnAddressInItsSubnet() {
        assertThat(problem("{subnet: 10.0.1.0/24}")).contains("bridge 'b': dhcp[0].server: missing: the address");
        assertThat(problem("{subnet: 10.0.1.0/24, router: 10.0.2.1}"))
                .contains("dhcp[0].router '10.0.2.1': expected the address of a host in 10.0.1.0/24");
        assertThat(problem("{subnet: \"fd00::/64\", server: \"fd00::1\"}")).contains("expected an IPv4 network");
        assertThat(problem("{subnet: 10.0.1.4/31, server: 10.0.1.5}")).contains("/1 to /30");
    }

    @Test
    void hostsHaveAddressesOfTheirOwn() {
        assertThat(problemWith("hosts: [{mac: \"02:00:00:00:00:05\", address: 10.0.1.255}]"))
                .contains("dhcp[0].hosts[0].address '10.0.1.255': expected the address of a host");
        assertThat(problemWith("hosts: [{mac: \"02:00:00:00:00:05\", address: 10.0.1.1}]"))
                .contains("hosts[0].address '10.0.1.1': is another's");
        assertThat(problemWith("hosts: [{mac: \"02:00:00:00:00:05\", address: 10.0.1.5},"
                        + " {mac: \"02:00:00:00:00:05\", address: 10.0.1.6}]"))
                .contains("hosts[1].mac '02:00:00:00:00:05': stands twice");
    }

    @Test
    void optionsAreWellFormedAndNotThoseOfFields() {
        assertThat(problemWith("options: [{code: 6, hex: 0a000101}]"))
                .contains("options[0].code '6': is said by dns; use that");
        assertThat(problemWith("options: [{code: 53, hex: \"01\"}]")).contains("is the protocol's own; remove it");
        assertThat(problemWith("options: [{code: 255, text: x}]")).contains("code '255': expected 1..254");
        assertThat(problemWith("options: [{code: 66}]")).contains("expected either text or hex");
        assertThat(problemWith("options: [{code: 66, hex: abc}]")).contains("hex 'abc': expected pairs");
        assertThat(problemWith("options: [{code: 66, text: " + "x".repeat(256) + "}]"))
                .contains("256 octets");
    }

    @Test
    void numbersKeepToTheirRange() {
        assertThat(problemWith("mtu: 500")).contains("dhcp[0].mtu '500': expected 576..65535");
        assertThat(problemWith("lease_seconds: 59")).contains("expected 60 or more, or 0 for a day");
        assertThat(problemWith("vlan: 4095")).contains("dhcp[0].vlan '4095': expected a VLAN id 1..4094");
        assertThat(problemWith("routes: [{destination: 10.9.0.0/16, gateway: 10.0.2.1}]"))
                .contains("routes[0].gateway '10.0.2.1': expected the address of a host in 10.0.1.0/24");
    }

    @Test
    void subnetsOfOneVlanDoNotOverlap() {
        assertThat(problem("{" + GOOD + "}, {subnet: 10.0.0.0/16, router: 10.0.0.1}"))
                .contains("dhcp[1].subnet '10.0.0.0/16': overlaps 10.0.1.0/24 of the same bridge and VLAN");
        assertThat(offline("{" + GOOD + "}, {" + GOOD + ", vlan: 10}").bridges())
                .hasSize(1);
    }
}
