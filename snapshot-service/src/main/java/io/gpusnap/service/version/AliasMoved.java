package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;

/** An alias stands for another version. Published in the transaction that moves it. */
public record AliasMoved(String model, String alias, VersionId version, String versionName, AliasChange.Kind kind) {}
