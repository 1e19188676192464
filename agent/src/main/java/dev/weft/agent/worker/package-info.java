/**
 * One worker: a thread that takes the frames no flow answered, works out what the whole virtual network does with each,
 * installs the answer and executes it. Around that loop stand the plain objects it owns: its flows and what they rest
 * on ({@code FlowBook}, {@code DestinationIndex}), those for packets that have not come yet ({@code FlowsAhead}), the
 * frames that wait for an answer ({@code ParkingLot}), the questions that are out and the answers that grow old
 * ({@code NeighbourBroker}), and its counters.
 *
 * <p>Thread rule: share nothing. Every object here belongs to one worker thread and is touched by no other, with three
 * exceptions, which say so: {@code Backchannel}, the one door through which others reach a worker, {@code Counters},
 * which the worker writes and anyone reads, and {@code RuleLog}, which the worker fills and one other empties. Whoever
 * wants a worker to know or do something sends it a command. A worker drains its backchannel after it took an upcall and
 * before it simulates it, and switches to a new network only there.
 *
 * <p>Everything is bounded, and allocated at construction but for what flows rest on, which takes memory by the page as
 * they come: a flow book takes the most idle flow to make room, a parking lot the oldest frame of the port that has most.
 * Who overflows is counted and pays itself. Time comes in as an argument; nothing here waits, logs per packet or reads a
 * clock. Akka, ZooKeeper and sockets are not known here.
 */
@NullMarked
package dev.weft.agent.worker;

import org.jspecify.annotations.NullMarked;
