package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;

/**
 * An alias stands for another version, or was deleted. Published in the transaction that does it.
 *
 * @param version that it stands for now, or stood for last
 */
public record AliasMoved(String model, String alias, VersionId version, String versionName, AliasChange.Kind kind) {}
