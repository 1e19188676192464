/** The topology: one schema, one store of it, the tables that hosts share, and the reader of files. */
@NullMarked
package dev.weft.topology;

import org.jspecify.annotations.NullMarked;
