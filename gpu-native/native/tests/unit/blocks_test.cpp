// The table of physical blocks, against a driver that only keeps a list.
#include "preload/blocks.h"

#include "contract/harness.h"
#include "preload/contexts.h"
#include "preload/hooks.h"
#include "unit/fake_driver.h"

using namespace unit;
using gpusnap::preload::Block;
using gpusnap::preload::BlockTable;
using gpusnap::preload::Contexts;

namespace {

constexpr size_t mib = 1 << 20;

struct Fixture {
    Fixture() {
        install_fake_driver();
        fake().forget();
    }
    uint64_t create(size_t size) {
        CUmemAllocationProp properties{};
        uint64_t id = 0;
        CHECK_EQUAL(table.create(size, properties, 0, &id), CUDA_SUCCESS);
        return id;
    }
    void allow(CUdeviceptr address, size_t size, int device, CUmemAccess_flags flags) {
        CUmemAccessDesc description{{CU_MEM_LOCATION_TYPE_DEVICE, device}, flags};
        CHECK_EQUAL(table.set_access(address, size, &description, 1), CUDA_SUCCESS);
    }
    BlockTable table;
};

}  // namespace

TEST("a block lives as long as a reference or a mapping") {
    Fixture f;
    uint64_t id = f.create(4 * mib);
    CHECK_EQUAL(f.table.map(1000 * mib, 4 * mib, 0, id, 0), CUDA_SUCCESS);
    CHECK_EQUAL(f.table.drop_reference(id), CUDA_SUCCESS);
    CHECK_EQUAL(fake().count("release"), 0);
    CHECK_EQUAL(f.table.drop_reference(id), CUDA_ERROR_INVALID_VALUE);
    CHECK_EQUAL(f.table.unmap(1000 * mib, 4 * mib), CUDA_SUCCESS);
    CHECK_EQUAL(fake().count("release"), 1);
    CHECK_EQUAL(f.table.count(), 0u);
}

TEST("a driver's handle never looks like one of ours") {
    CHECK_EQUAL(BlockTable::id_of(BlockTable::handle_of(77)), 77u);
    CHECK_EQUAL(BlockTable::id_of(77), 0u);
    CHECK_EQUAL(BlockTable::id_of(0x00007f1234567890ull), 0u);
}

TEST("mappings come back with their offsets, and access with its ranges and devices") {
    Fixture f;
    uint64_t id = f.create(8 * mib);
    f.table.map(1000 * mib, 8 * mib, 0, id, 0);
    f.table.map(2000 * mib, 2 * mib, 6 * mib, id, 0);
    f.allow(1000 * mib, 8 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    f.allow(1000 * mib, 4 * mib, 1, CU_MEM_ACCESS_FLAGS_PROT_READ);
    f.allow(2000 * mib, 2 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    fake().forget();
    CHECK_EQUAL(f.table.release_all(), CUDA_SUCCESS);
    CHECK_EQUAL(fake().count("unmap"), 2);
    CHECK_EQUAL(fake().count("release"), 1);
    fake().forget();
    CHECK_EQUAL(f.table.bring_back_all(), CUDA_SUCCESS);
    CHECK_EQUAL(fake().count("create 8388608"), 1);
    std::string handle = " " + std::to_string(fake().last_handle);
    CHECK_EQUAL(fake().calls.at(1), "map 1048576000 8388608 +0" + handle);
    CHECK_EQUAL(fake().calls.at(2), "map 2097152000 2097152 +6291456" + handle);
    CHECK_EQUAL(fake().calls.at(3), std::string("access 1048576000 4194304 0:3 1:1"));
    CHECK_EQUAL(fake().calls.at(4), std::string("access 1052770304 4194304 0:3"));
    CHECK_EQUAL(fake().calls.at(5), std::string("access 2097152000 2097152 0:3"));
}

TEST("access that was taken back stays taken back") {
    Fixture f;
    uint64_t id = f.create(2 * mib);
    f.table.map(1000 * mib, 2 * mib, 0, id, 0);
    f.allow(1000 * mib, 2 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    f.allow(1000 * mib, 2 * mib, 1, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    f.allow(1000 * mib, 2 * mib, 1, CU_MEM_ACCESS_FLAGS_PROT_NONE);
    f.table.release_all();
    fake().forget();
    f.table.bring_back_all();
    CHECK_EQUAL(fake().count("access 1048576000 2097152 0:3 1:0"), 1);
}

TEST("memory for all is reached from every GPU with a context, and after a thaw from those that can then") {
    Fixture f;
    CUcontext contexts[] = {reinterpret_cast<CUcontext>(1), reinterpret_cast<CUcontext>(2)};
    Contexts::get().note(contexts[0], 0);
    uint64_t early = f.create(2 * mib);
    f.table.map(1000 * mib, 2 * mib, 0, early, 0);
    CHECK_EQUAL(f.table.set_access_of_all(1000 * mib, 2 * mib, early, {gpusnap::preload::read_write(0)}), CUDA_SUCCESS);
    CHECK_EQUAL(fake().count("access 1048576000 2097152 0:3"), 1);
    CHECK(Contexts::get().note(contexts[1], 1));
    f.table.let_peers_in();
    CHECK_EQUAL(fake().count("access 1048576000 2097152 1:3"), 1);
    uint64_t late = f.create(2 * mib);
    f.table.map(2000 * mib, 2 * mib, 0, late, 0);
    f.table.set_access_of_all(2000 * mib, 2 * mib, late, {gpusnap::preload::read_write(0)});
    CHECK_EQUAL(fake().count("access 2097152000 2097152 0:3 1:3"), 1);
    f.allow(2000 * mib, 2 * mib, 1, CU_MEM_ACCESS_FLAGS_PROT_READ);
    f.table.release_all();
    fake().forget();
    f.table.bring_back_all();
    CHECK_EQUAL(fake().count("access 1048576000 2097152 0:3"), 1);
    CHECK_EQUAL(fake().count("access 1048576000 2097152 1:3"), 1);
    CHECK_EQUAL(fake().count("access 2097152000 2097152 0:3 1:1"), 1);
    CHECK_EQUAL(fake().count("access"), 3);
    f.table.release_all();
    fake().forget();
    fake().peers = false;
    Contexts::get().forget_peers();
    f.table.bring_back_all();
    CHECK_EQUAL(fake().count("access 1048576000 2097152"), 1);
    fake().peers = true;
    for (CUcontext context : contexts) {
        Contexts::get().forget(context);
    }
    Contexts::get().forget_peers();
}

TEST("access is only given to what is mapped by us") {
    Fixture f;
    uint64_t first = f.create(2 * mib);
    uint64_t second = f.create(2 * mib);
    f.table.map(1000 * mib, 2 * mib, 0, first, 0);
    f.table.map(1004 * mib, 2 * mib, 0, second, 0);  // a foreign mapping lies between
    f.allow(1000 * mib, 6 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    f.table.release_all();
    fake().forget();
    f.table.bring_back_all();
    CHECK_EQUAL(fake().count("access"), 2);
    CHECK_EQUAL(fake().count("access 1048576000 2097152"), 1);
    CHECK_EQUAL(fake().count("access 1052770304 2097152"), 1);
}

TEST("an unmapping that takes part of a mapping leaves the rest with its offset") {
    Fixture f;
    uint64_t id = f.create(6 * mib);
    f.table.map(1000 * mib, 6 * mib, 0, id, 0);
    f.allow(1000 * mib, 6 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    f.table.unmap(1002 * mib, 2 * mib);
    CHECK_EQUAL(f.table.block_at(1001 * mib), id);
    CHECK_EQUAL(f.table.block_at(1003 * mib), 0u);
    CHECK_EQUAL(f.table.block_at(1005 * mib), id);
    f.table.release_all();
    fake().forget();
    f.table.bring_back_all();
    CHECK_EQUAL(fake().count("map 1048576000 2097152 +0"), 1);
    CHECK_EQUAL(fake().count("map 1052770304 2097152 +4194304"), 1);
    CHECK_EQUAL(fake().count("access 1048576000 2097152 0:3"), 1);
    CHECK_EQUAL(fake().count("access 1052770304 2097152 0:3"), 1);
}

TEST("an unmapped block is saved and brought back too") {
    Fixture f;
    f.create(2 * mib);
    auto records = f.table.records();
    CHECK_EQUAL(records.size(), 1u);
    CHECK_EQUAL(records[0].address, 0u);
    f.table.release_all();
    fake().forget();
    CHECK_EQUAL(f.table.bring_back_all(), CUDA_SUCCESS);
    CHECK_EQUAL(fake().count("create"), 1);
    CHECK_EQUAL(fake().count("map"), 0);
}

TEST("a release that fails puts back what it took, and keeps the memory") {
    Fixture f;
    uint64_t id = f.create(4 * mib);
    f.table.map(1000 * mib, 4 * mib, 0, id, 0);
    f.table.map(2000 * mib, 4 * mib, 0, id, 0);
    f.allow(1000 * mib, 4 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    fake().forget();
    fake().fail_at["unmap"] = 2;
    CHECK_EQUAL(f.table.release_all(), CUDA_ERROR_OUT_OF_MEMORY);
    CHECK_EQUAL(fake().count("map 1048576000"), 1);
    CHECK_EQUAL(fake().count("access 1048576000 4194304 0:3"), 1);
    CHECK_EQUAL(fake().count("release"), 0);
    CHECK(!f.table.released());
}

TEST("a release that can neither go on nor back lets go of everything") {
    for (const char* function : {"map", "access"}) {
        Fixture f;
        uint64_t id = f.create(4 * mib);
        f.table.map(1000 * mib, 4 * mib, 0, id, 0);
        f.table.map(2000 * mib, 4 * mib, 0, id, 0);
        f.allow(1000 * mib, 4 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
        fake().forget();
        fake().fail_at["unmap"] = 2;
        fake().fail_at[function] = 1;
        CHECK_EQUAL(f.table.release_all(), CUDA_ERROR_OUT_OF_MEMORY);
        CHECK_EQUAL(fake().count("release"), 1);
        CHECK(f.table.released());
        fake().forget();
        CHECK_EQUAL(f.table.bring_back_all(), CUDA_SUCCESS);
        CHECK(!f.table.released());
    }
}

TEST("memory that the driver does not take back is unmapped all the same, and comes back as fresh memory") {
    Fixture f;
    uint64_t first = f.create(2 * mib);
    uint64_t second = f.create(2 * mib);
    f.table.map(1000 * mib, 2 * mib, 0, first, 0);
    f.table.map(2000 * mib, 2 * mib, 0, second, 0);
    fake().forget();
    fake().fail_at["release"] = 1;
    CHECK_EQUAL(f.table.release_all(), CUDA_ERROR_OUT_OF_MEMORY);
    CHECK_EQUAL(fake().count("unmap"), 2);
    CHECK_EQUAL(fake().count("release"), 2);
    CHECK(f.table.released());
    fake().forget();
    CHECK_EQUAL(f.table.bring_back_all(), CUDA_SUCCESS);
    CHECK_EQUAL(fake().count("create"), 2);
    CHECK_EQUAL(fake().count("map"), 2);
    CHECK(!f.table.released());
}

TEST("bringing back is all or nothing, wherever it fails") {
    for (const char* function : {"create", "map", "access"}) {
        Fixture f;
        uint64_t first = f.create(2 * mib);
        uint64_t second = f.create(2 * mib);
        f.table.map(1000 * mib, 2 * mib, 0, first, 0);
        f.table.map(2000 * mib, 2 * mib, 0, second, 0);
        f.allow(1000 * mib, 2 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
        f.allow(2000 * mib, 2 * mib, 0, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
        f.table.release_all();
        fake().forget();
        fake().fail_at[function] = 2;
        CHECK_EQUAL(f.table.bring_back_all(), CUDA_ERROR_OUT_OF_MEMORY);
        int created = fake().count("create") - (std::string(function) == "create" ? 1 : 0);
        int mapped = fake().count("map") - (std::string(function) == "map" ? 1 : 0);
        CHECK_EQUAL(fake().count("release"), created);
        CHECK_EQUAL(fake().count("unmap"), mapped);
        fake().forget();
        CHECK_EQUAL(f.table.bring_back_all(), CUDA_SUCCESS);
        CHECK_EQUAL(fake().count("map"), 2);
    }
}

TEST("a range of addresses is told by blocks and their offsets") {
    Fixture f;
    uint64_t first = f.create(8 * mib);
    uint64_t second = f.create(2 * mib);
    f.table.map(1000 * mib, 2 * mib, 6 * mib, first, 0);
    f.table.map(1002 * mib, 2 * mib, 0, second, 0);
    f.table.map(1004 * mib, 2 * mib, 0, first, 0);
    f.table.map(1006 * mib, 2 * mib, 2 * mib, first, 0);  // goes on where the last one ended
    auto pieces = f.table.pieces(1001 * mib, 6 * mib);
    CHECK_EQUAL(pieces.size(), 3u);
    CHECK_EQUAL(pieces[0].id, first);
    CHECK_EQUAL(pieces[0].offset, 7 * mib);
    CHECK_EQUAL(pieces[0].size, 1 * mib);
    CHECK_EQUAL(pieces[0].address, 1001 * mib);
    CHECK_EQUAL(pieces[1].id, second);
    CHECK_EQUAL(pieces[1].size, 2 * mib);
    CHECK_EQUAL(pieces[2].offset, 0u);
    CHECK_EQUAL(pieces[2].size, 3 * mib);
}

TEST("a range is ours only from its first byte to its last") {
    Fixture f;
    uint64_t first = f.create(2 * mib);
    uint64_t second = f.create(2 * mib);
    f.table.map(1000 * mib, 2 * mib, 0, first, 0);
    f.table.map(1002 * mib, 2 * mib, 0, second, 0);
    f.table.map(1006 * mib, 2 * mib, 0, second, 0);
    auto ours = [&](uint64_t address, size_t size) {
        bool called = false;
        bool answer = f.table.if_all_ours(address, size, [&] { called = true; });
        CHECK_EQUAL(called, answer);
        return answer;
    };
    CHECK(ours(1000 * mib, 4 * mib));
    CHECK(ours(1001 * mib, 2 * mib));
    CHECK(!ours(999 * mib, 2 * mib));
    CHECK(!ours(1003 * mib, 2 * mib));
    CHECK(!ours(1003 * mib, 4 * mib));
    CHECK(!ours(1010 * mib, 4096));
}
