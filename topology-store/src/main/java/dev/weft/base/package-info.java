/**
 * The words every module speaks: addresses, prefixes, time, hashing, tags, errors. Values only: nothing here does I/O,
 * starts a thread or reads a clock other than {@link dev.weft.base.NanoClock#SYSTEM}. All types are immutable and safe
 * to share. At most about twenty types; what only one module needs belongs there.
 */
@NullMarked
package dev.weft.base;

import org.jspecify.annotations.NullMarked;
