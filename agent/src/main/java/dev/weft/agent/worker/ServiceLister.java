package dev.weft.agent.worker;

import dev.weft.sim.ServiceTables;
import dev.weft.sim.Simulator;
import dev.weft.sim.service.ServiceEntry;
import dev.weft.sim.service.ServiceSlot;
import dev.weft.sim.service.ServiceTable;
import java.util.ArrayList;
import java.util.List;

/** Shows a worker's service tables to a person, a page at a time. Its worker's thread only. */
final class ServiceLister {
    private final ServiceTables services;
    private final Simulator simulator;

    ServiceLister(WorkerParts parts) {
        services = parts.tables.services();
        simulator = parts.simulator;
    }

    void show(Command.ShowServices question) {
        int index = Math.max(0, question.table());
        while (index < services.limit() && services.table(index) == null) {
            index++;
        }
        ServiceTable table = services.table(index);
        question.answer()
                .complete(
                        table == null
                                ? new ServicePage(List.of(), List.of(), ServicePage.END, 0)
                                : page(index, table, question.entry(), question.entries()));
    }

    private ServicePage page(int index, ServiceTable table, int first, int count) {
        String name = simulator.network().serviceTableName(index).orElse("");
        var rows = new ArrayList<ServicePage.Row>();
        int end = (int) Math.min(table.places(), (long) first + count);
        for (int place = Math.max(0, first); place < end; place++) {
            if (table.entryAt(place) instanceof ServiceEntry entry) {
                for (int i = 0; i < entry.rules(); i++) {
                    rows.add(row(name, entry, i));
                }
            }
        }
        boolean last = end == table.places();
        return new ServicePage(
                rows, last ? List.of(totals(name, table)) : List.of(), last ? index + 1 : index, last ? 0 : end);
    }

    private static ServicePage.Row row(String table, ServiceEntry entry, int index) {
        ServiceSlot slot = entry.rule(index);
        return new ServicePage.Row(
                table,
                entry.prefix().toString(),
                slot.rule().target().toString(),
                slot.rule().priority(),
                slot.rule().weight(),
                index < entry.top(),
                slot.packets(),
                slot.bytes());
    }

    private static ServicePage.Totals totals(String name, ServiceTable table) {
        return new ServicePage.Totals(
                name,
                table.size(),
                table.resolvedPackets(),
                table.resolvedBytes(),
                table.droppedPackets(),
                table.droppedBytes(),
                table.unresolvedPackets());
    }
}
