package io.gpusnap.node.client;

import java.util.List;

public record ProgressReport(long epoch, List<StageReport> stages) {}
