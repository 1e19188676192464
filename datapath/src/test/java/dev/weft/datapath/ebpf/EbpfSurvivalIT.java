package dev.weft.datapath.ebpf;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.SurvivalContract;
import dev.weft.datapath.TestHost;
import org.jspecify.annotations.Nullable;

class EbpfSurvivalIT extends SurvivalContract {
    private @Nullable EbpfUnderlay underlay;

    @Override
    protected void removeUnderlay() {
        if (underlay != null) {
            underlay.close();
        }
    }

    @Override
    protected IpAddress underlay() {
        return EbpfUnderlay.address(1);
    }

    @Override
    protected TestHost open(DatapathConfig config) {
        underlay = new EbpfUnderlay();
        return underlay.open(config);
    }

    @Override
    protected TestHost reopen(TestHost before, DatapathConfig config) {
        return ((EbpfHost) before).reopen(config);
    }
}
