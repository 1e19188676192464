/**
 * Service tables: what a bridge, router or load balancer does with a packet that names a service. Prefixes of service ids
 * to rules: FORWARD, DEMUX, DELAY or DROP; the longest prefix counts, then the highest priority, then a choice by weight
 * that is the same for all packets of a connection.
 *
 * <p>A table belongs to one worker. Rule changes come to it as deltas, between two lookups, and are in force with the next
 * one; nobody else reads it or its counters. Lookups allocate nothing; changes may.
 */
@NullMarked
package dev.weft.sim.service;

import org.jspecify.annotations.NullMarked;
