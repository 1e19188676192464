package dev.weft.topology;

class MemoryTopologyStoreTest extends TopologyStoreContract {
    @Override
    TopologyStore open() {
        return new MemoryTopologyStore();
    }
}
