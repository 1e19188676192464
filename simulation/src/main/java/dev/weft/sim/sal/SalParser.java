package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Malformed;
import java.lang.foreign.MemorySegment;

/**
 * Finds the parts of a SAL header: any order of extensions, reserved bits ignored, lengths and checksum exact. What the
 * transport behind it says is not looked at.
 */
@HotPath
public final class SalParser {
    private SalParser() {}

    /**
     * Reads the SAL header of an IPv4 packet of protocol 144 into layout and key.
     *
     * @param frame where the frame begins; the offsets in the layout count from there
     * @param at of the header, from the frame's start
     * @param end of the packet, from the frame's start
     * @return {@link Malformed#OK}, or a code of {@link Malformed}; then the layout is not present
     */
    public static int parse(MemorySegment segment, long frame, int at, int end, FlowKey key, SalLayout layout) {
        if (end - at < SalHeader.LENGTH) {
            return Malformed.TRUNCATED_SAL.code();
        }
        if (!SalKey.mayBeSal(segment, frame + at, end - at, false)) {
            return Malformed.BAD_SAL_LENGTH.code();
        }
        SalKey.fill(key, segment, frame + at);
        return read(segment, frame, at, layout);
    }

    /**
     * Reads what a UDP datagram between the ports of SAL carries, if it is SAL. Systems give these ports to any program,
     * so that all else is just UDP, and nothing about it is wrong.
     */
    public static void parseEncapsulated(
            MemorySegment segment, long frame, int at, int end, FlowKey key, SalLayout layout) {
        if (SalKey.mayBeSal(segment, frame + at, end - at, true)) {
            SalKey.fill(key, segment, frame + at);
            if (read(segment, frame, at, layout) == Malformed.OK) {
                layout.encapsulated = true;
            }
        }
    }

    private static int read(MemorySegment segment, long frame, int at, SalLayout layout) {
        long header = frame + at;
        layout.clear();
        layout.offset = at;
        layout.length = SalHeader.length(segment, header);
        layout.srcFlow = SalHeader.srcFlow(segment, header);
        layout.dstFlow = SalHeader.dstFlow(segment, header);
        int code = readExtensions(segment, frame, layout);
        if (code == Malformed.OK) {
            code = check(segment, header, layout);
        }
        if (code != Malformed.OK) {
            layout.clear();
            return code;
        }
        layout.present = true;
        return Malformed.OK;
    }

    private static int readExtensions(MemorySegment segment, long frame, SalLayout layout) {
        int end = layout.offset + layout.length;
        int here = layout.offset + SalHeader.LENGTH;
        while (here < end) {
            if (layout.extensions++ == SalExtension.MAX_COUNT) {
                return Malformed.SAL_TOO_MANY_EXTENSIONS.code();
            }
            int type = SalExtension.type(segment, frame + here);
            if (type == SalExtension.PAD) {
                here++;
                continue;
            }
            if (type > SalExtension.SOURCE) {
                return Malformed.UNKNOWN_SAL_EXTENSION.code();
            }
            if (end - here < SalExtension.HEAD_LENGTH) {
                return Malformed.SAL_EXTENSIONS_PAST_END.code();
            }
            int length = SalExtension.length(segment, frame + here);
            int code = take(type, length, here, layout);
            if (code != Malformed.OK) {
                return code;
            }
            here += length;
        }
        return here == end ? Malformed.OK : Malformed.SAL_EXTENSIONS_PAST_END.code();
    }

    private static int take(int type, int length, int here, SalLayout layout) {
        return switch (type) {
            case SalExtension.CONTROL -> takeControl(length, here, layout);
            case SalExtension.SERVICE -> takeService(length, here, layout);
            case SalExtension.SOURCE -> takeSource(length, here, layout);
            default -> {
                layout.address = here;
                boolean fits = length >= SalAddress.MIN_LENGTH && length % Integer.BYTES == 0;
                yield fits ? Malformed.OK : Malformed.BAD_SAL_EXTENSION_LENGTH.code();
            }
        };
    }

    private static int takeControl(int length, int here, SalLayout layout) {
        if (length != SalControl.LENGTH) {
            return Malformed.BAD_SAL_EXTENSION_LENGTH.code();
        }
        if (layout.control != 0) {
            return Malformed.SECOND_SAL_CONTROL.code();
        }
        layout.control = here;
        return Malformed.OK;
    }

    private static int takeService(int length, int here, SalLayout layout) {
        if (length != SalService.LENGTH) {
            return Malformed.BAD_SAL_EXTENSION_LENGTH.code();
        }
        if (layout.service == 0) {
            layout.service = here;
        } else if (layout.fromService == 0) {
            layout.fromService = here;
        } else {
            return Malformed.THIRD_SAL_SERVICE.code();
        }
        return Malformed.OK;
    }

    private static int takeSource(int length, int here, SalLayout layout) {
        if (length < SalExtension.HEAD_LENGTH || length % Integer.BYTES != 0) {
            return Malformed.BAD_SAL_EXTENSION_LENGTH.code();
        }
        if (length < SalSource.length(SalSource.MIN_ADDRESSES)) {
            return Malformed.SHORT_SAL_SOURCE.code();
        }
        if (layout.source != 0) {
            return Malformed.SECOND_SAL_SOURCE.code();
        }
        layout.source = here;
        return Malformed.OK;
    }

    /** What is asked of the whole, once its parts are known. */
    private static int check(MemorySegment segment, long header, SalLayout layout) {
        if (layout.control != 0) {
            layout.flags = SalControl.flags(segment, header - layout.offset + layout.control);
        }
        if (SalControl.opens(layout.flags) && layout.service == 0) {
            return Malformed.SAL_SYN_WITHOUT_SERVICE.code();
        }
        if ((layout.flags & (SalControl.SYN | SalControl.RST)) == (SalControl.SYN | SalControl.RST)) {
            return Malformed.SAL_SYN_WITH_RST.code();
        }
        return SalHeader.isChecksumValid(segment, header) ? Malformed.OK : Malformed.BAD_SAL_CHECKSUM.code();
    }
}
