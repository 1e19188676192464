package dev.weft.datapath.userspace;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathContract;
import dev.weft.datapath.TestHost;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;

class UserspaceDatapathIT extends DatapathContract {
    private @Nullable UserspaceUnderlay underlay;

    @BeforeEach
    void makeUnderlay() {
        underlay = new UserspaceUnderlay();
    }

    @Override
    protected void removeUnderlay() {
        if (underlay != null) {
            underlay.close();
        }
    }

    @Override
    protected TestHost open(DatapathConfig config) {
        return Objects.requireNonNull(underlay).open(config);
    }
}
