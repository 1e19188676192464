package dev.weft.datapath.ebpf;

import dev.weft.base.IpAddress;
import dev.weft.datapath.ActionContract;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.TestHost;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;

/** The actions again, at VMs behind taps as a hypervisor opens them. */
class EbpfTapIT extends ActionContract {
    private @Nullable EbpfUnderlay underlay;

    @BeforeEach
    void makeUnderlay() {
        underlay = new EbpfUnderlay();
    }

    @Override
    protected void removeUnderlay() {
        if (underlay != null) {
            underlay.close();
        }
    }

    @Override
    protected IpAddress underlay(int host) {
        return EbpfUnderlay.address(host);
    }

    @Override
    protected TestHost open(DatapathConfig config) {
        return Objects.requireNonNull(underlay).openWithTaps(config);
    }
}
