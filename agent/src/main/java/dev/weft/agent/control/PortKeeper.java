package dev.weft.agent.control;

import dev.weft.agent.control.Interfaces.Presence;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.PortSpec;

/**
 * One exterior port of this host through the life of its interface: attached while that is there, up or down, reachable
 * by its tunnel key while it is attached. Not thread safe: touched only by its actor.
 */
final class PortKeeper {
    /** No datapath port. */
    static final int NONE = 0;

    /** The state of a port that frames pass. */
    static final String UP = "up";

    // Immutable after construction.
    private final Datapath datapath;
    private final int tunnelKey;
    private final Events events;
    // Owned by the actor.
    private PortSpec spec;
    private int datapathPort = NONE;
    private Presence presence = Presence.ABSENT;
    private String trouble = "";

    /** Who wants to know. */
    interface Events {
        /** Frames pass. */
        void attached(PortSpec spec, int datapathPort);

        /** Frames pass no more. */
        void detached(PortSpec spec, int datapathPort);
    }

    PortKeeper(Datapath datapath, PortSpec spec, int tunnelKey, Events events) {
        this.datapath = datapath;
        this.spec = spec;
        this.tunnelKey = tunnelKey;
        this.events = events;
    }

    PortSpec spec() {
        return spec;
    }

    /** {@link #NONE} while it is not attached. */
    int datapathPort() {
        return datapathPort;
    }

    int tunnelKey() {
        return tunnelKey;
    }

    /**
     * In words for people: {@code up}, {@code interface down}, {@code no carrier}, {@code no interface}, or why the
     * datapath refused it.
     */
    String state() {
        if (isPresent() && datapathPort == NONE) {
            return trouble;
        }
        return switch (presence) {
            case ABSENT -> "no interface";
            case DOWN -> "interface down";
            case NO_CARRIER -> "no carrier";
            case UP -> UP;
        };
    }

    private boolean isPresent() {
        return presence != Presence.ABSENT;
    }

    /** The port is bound to another interface now; whether that is there will be told. */
    void move(PortSpec to) {
        detach();
        presence = Presence.ABSENT;
        spec = to;
    }

    /** One that is down or has no carrier stays attached: its flows and its tunnel key are as good when it is back. */
    void interfaceIs(Presence now) {
        presence = now;
        if (isPresent()) {
            attach();
        } else {
            detach();
        }
    }

    /** The datapath lost the interface before anybody else noticed. */
    void lost(int lostPort) {
        if (lostPort == datapathPort) {
            detach();
        }
    }

    /** True when the interface is there but could not be attached: try again after a while. */
    boolean wantsRetry() {
        return isPresent() && datapathPort == NONE;
    }

    void attach() {
        if (datapathPort != NONE || !isPresent()) {
            return;
        }
        try {
            datapathPort = datapath.attach(spec);
            datapath.bindTunnelKey(tunnelKey, datapathPort);
            trouble = "";
        } catch (DatapathException refused) {
            trouble = refused.getMessage();
            return;
        }
        events.attached(spec, datapathPort);
    }

    /** Tells first and lets go then, so that nobody is pointed at a port that is not there. */
    void detach() {
        if (datapathPort == NONE) {
            return;
        }
        int gone = datapathPort;
        datapathPort = NONE;
        events.detached(spec, gone);
        datapath.unbindTunnelKey(tunnelKey);
        datapath.detach(gone);
    }
}
