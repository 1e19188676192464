package dev.weft.topology;

/** What became of a value put into a {@link StateTable}. None is an error. */
public enum PutOutcome {
    /** On its way to all hosts, or there already. */
    SHARED,
    /** Over the write rate: known here now, shared when the rate allows. */
    DELAYED,
    /** Over the limits of a session: known here only. */
    LOCAL_ONLY
}
