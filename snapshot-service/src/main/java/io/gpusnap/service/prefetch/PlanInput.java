package io.gpusnap.service.prefetch;

import io.gpusnap.service.forecast.prefetch.Need;
import io.gpusnap.service.forecast.prefetch.Site;
import java.util.List;

/** What is planned together: nodes that can run the same snapshots, and the models that are wanted there. */
record PlanInput(List<Need> needs, List<Site> sites) {}
