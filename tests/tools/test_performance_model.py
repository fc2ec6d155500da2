"""Known limits of the performance model, and its predictions of published transforms."""

import math
from dataclasses import replace

import pytest
from performance.machines import A100, CUFFTMP, H100, H100_NDR, cpu_nodes
from performance.model import Link, Machine, Network, efficiencies, predict, predict_ranks
from performance.report import bound, paying
from performance.workload import Stage, Workload

FREE = Network(8, Link(0.0, 0.0, math.inf), Link(0.0, 0.0, math.inf))
SLOW = Network(4, Link(2e-6, 1e-7, 1e11), Link(5e-6, 1e-6, 1e10))


def test_one_rank_exchanges_nothing():
    prediction = predict(Workload(1024, 1, 64), Machine("", "", H100, SLOW))
    assert prediction.exchange == 0.0
    assert prediction.seconds == prediction.overlapped == prediction.two_hops
    assert prediction.seconds == sum(prediction.stages.values())


def test_exchange_inside_a_node_is_latency_messages_and_bytes():
    assert SLOW.exchange(3e6, 4) == pytest.approx(2e-6 + 3 * 1e-7 + 3e6 / 1e11)


def test_exchange_between_nodes_is_what_crosses_them():
    # On 3 nodes of 4 a rank has 3 peers in its node and 8 elsewhere; the slower link decides.
    assert SLOW.exchange(11e6, 12) == pytest.approx(5e-6 + 8 * 1e-6 + 8e6 / 1e10)


def test_a_shared_link_serves_all_ranks_of_a_node():
    shared = replace(SLOW, between=replace(SLOW.between, shared=1e10))
    extra = 8e6 / 2.5e9 - 8e6 / 1e10
    assert shared.exchange(11e6, 12) == pytest.approx(SLOW.exchange(11e6, 12) + extra)


def test_hosts_send_each_other_one_message():
    """16 hosts of 64 ranks send 240 messages, not a million, of as many bytes."""
    network = Network(64, Link(0.0, 0.0, 1e12), Link(0.0, 1e-6, 1e9))
    ranks, volume = 1024, 1e6
    messages, whole = 15 / 64, volume * ranks / (ranks - 1) * 15 / 16
    assert network.between_hosts(volume, ranks) == pytest.approx(1e-6 * messages + whole / 1e9)
    one_by_one = (ranks - 64) * (1e-6 + volume / (ranks - 1) / 1e9)
    assert network.exchange(volume, ranks) == pytest.approx(one_by_one)
    assert network.between_hosts(volume, 64) == 0.0


def test_two_hops_are_one_inside_a_node_and_send_few_messages_between_nodes():
    assert SLOW.two_hops(3e6, 4) == pytest.approx(SLOW.exchange(3e6, 4))
    # 64 ranks on 16 nodes hold 64 parts each: 48 of them move inside, 60 between the nodes.
    inside = SLOW.exchange(48e6, 4)
    between = 5e-6 + 15 * 1e-6 + 60e6 / 1e10
    assert SLOW.two_hops(63e6, 64) == pytest.approx(inside + between)


def test_a_stage_is_bound_by_bytes_or_by_operations():
    gpu = replace(H100, reached=1.0, launch=0.0)
    work = Workload(1024)
    assert gpu.seconds(Stage("", 0.0, gpu.bandwidth), work) == pytest.approx(1.0)
    assert gpu.seconds(Stage("", gpu.peak, 0.0), work) == pytest.approx(1.0)
    assert gpu.seconds(Stage("", gpu.peak, 0.0), replace(work, precision="single")) == 0.5
    assert replace(gpu, reached=0.5).seconds(Stage("", gpu.peak, 0.0), work) == pytest.approx(2.0)


def test_without_network_and_launches_only_packing_and_the_odd_column_cost():
    machine = Machine("", "", replace(H100, launch=0.0), FREE)
    family = predict_ranks(Workload(4096), machine, 64)
    for prediction, efficiency in zip(family, efficiencies(family), strict=True):
        spent = prediction.seconds - prediction.stages.get("packing", 0.0)
        ideal = family[0].seconds / prediction.work.ranks
        # 2049 columns on 64 ranks: the largest block has 33, not 32.
        assert ideal <= spent <= 1.04 * ideal
        assert efficiency <= 1.0


def test_ranks_are_limited_by_memory_and_by_lines():
    family = predict_ranks(Workload(2**16, 1, 2**28), H100_NDR, 1024)
    assert all(p.work.memory <= H100_NDR.memory for p in family)
    assert Workload(2**16, family[0].work.ranks // 2, 2**28).memory > H100_NDR.memory
    assert predict_ranks(Workload(64), H100_NDR, 1024)[-1].work.ranks == 32


def test_more_memory_bandwidth_and_single_precision_are_faster():
    machine = H100_NDR
    work = Workload(4096, 8, 4096**2 // 16)
    wider = replace(machine, processor=replace(H100, bandwidth=1.4 * H100.bandwidth))
    assert predict(work, wider).seconds < predict(work, machine).seconds
    single = predict(replace(work, precision="single"), machine)
    assert single.seconds < 0.7 * predict(work, machine).seconds


def test_small_lattices_on_many_gpus_are_bound_by_messages_and_large_ones_on_few_by_work():
    machine = H100_NDR
    assert bound(predict(Workload(1024, 256), machine)) == "messages"
    assert bound(predict(Workload(2**15, 16), machine)) == "bytes sent"
    assert bound(predict(Workload(2**15, 4), machine)) == "computing"
    assert paying(predict_ranks(Workload(1024), machine, 1024)) == 1


@pytest.mark.parametrize("item", CUFFTMP, ids=lambda item: item.what)
def test_published_transforms_are_met_within_a_fifth(item):
    assert item.predicted == pytest.approx(item.published, rel=0.2)


def test_cpu_nodes_need_a_measured_core():
    with pytest.raises(TypeError, match="Roofline"):
        cpu_nodes(Machine("", "", A100, FREE))
