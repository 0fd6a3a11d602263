package io.gpusnap.service.prefetch;

import io.gpusnap.service.forecast.prefetch.Need;
import io.gpusnap.service.forecast.prefetch.Site;
import java.util.List;

/**
 * What is planned together: nodes that can run the same snapshots, and the models that are wanted there.
 *
 * @param own the nodes' own stores
 * @param memory their pools
 */
record PlanInput(List<Need> needs, List<Site> own, List<Site> memory) {}
