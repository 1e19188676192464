package dev.weft.topology;

/** What a consumer can rely on. The last snapshot and the last tables stay valid in every state. */
public enum ConnectionState {
    /** The server answers and what is shown is current, but for what is on its way. */
    CONNECTED,
    /** No server answers; the session may still live. What is shown may be old. */
    SUSPENDED,
    /** The session is gone, and with it all ephemeral nodes; a new one is being made. What is shown may be old. */
    LOST
}
