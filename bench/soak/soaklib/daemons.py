"""What the daemons have besides their bucket, and what is taken from them while their copies are audited."""

import secrets

from benchlib.failure import BenchFailure

from .machines import command
from .stores import Folder

# As in an installation: with the first compiler alone there are no instructions for AES.
JAVA = ["-XX:+UseSerialGC", "-XX:-UsePerfData"]
PEER_PORT = 9465
WAYS = {
    "nfs": "an NFS tier besides the bucket",
    "keys": "chunks encrypted by the tenant's key, on the nodes' own disks too",
    "compress": "chunks compressed where they shrink, on the nodes' own disks too",
    "signing": "signed manifests, and no others taken",
    "peers": "chunks from other daemons",
}


class Daemons:
    """`ways`: those of WAYS that are on. `work`: a folder that all machines see."""

    def __init__(self, ways, work):
        self.ways = {way: way in ways for way in WAYS}
        self.work = work
        self.audited = {}
        self.nfs = Folder(work / "nfs")
        if self.ways["nfs"]:
            self.nfs.root.mkdir()
        if self.ways["keys"]:
            self.secret("tenant.key").write_text(secrets.token_hex(32) + "\n")
        if self.ways["signing"]:
            private = self.secret("signing.pem")
            command("openssl", "genpkey", "-algorithm", "ed25519", "-out", str(private))
            command("openssl", "pkey", "-in", str(private), "-pubout", "-out", str(work / "trusted.pem"))

    def secret(self, name):
        file = self.work / name
        file.touch(mode=0o600)
        return file

    def shared_kinds(self):
        return {"S3", *(["NFS"] if self.ways["nfs"] else [])}

    def shared(self, cluster):
        """The stores that all machines share, by kind."""
        return {"S3": cluster, **({"NFS": self.nfs} if self.ways["nfs"] else {})}

    def audit(self, machine, kind):
        """From its next start on, this one reads copies of this kind from nowhere else."""
        if kind not in {"NVME", *self.shared_kinds()}:
            raise BenchFailure(f"there are no copies of kind {kind} in this soak")
        self.audited[machine.name] = kind

    def settings(self, machine):
        """None takes away what all have."""
        kind = self.audited.get(machine.name)
        found = {}
        # What lies on the machine's own disk is read there before any shared store is asked.
        if self.ways["nfs"] and kind != "S3":
            found["nfs.root"] = self.nfs.root
        if kind == "NFS":
            found |= dict.fromkeys(("s3.bucket", "s3.endpoint", "s3.allowedAddresses", "s3.credentialsFile"))
        if self.ways["keys"]:
            found |= {"tiers.keyFile": self.work / "tenant.key", "nvme.encrypt": "true"}
        if self.ways["compress"]:
            found |= {"tiers.compress": "planes", "nvme.compress": "true"}
        if self.ways["signing"]:
            found |= {"tiers.signingKeyFile": self.work / "signing.pem", "tiers.trustedKeysFile": self.work / "trusted.pem"}
        if self.ways["peers"] and kind is None:
            found["peers.listen"] = f"{machine.address}:{PEER_PORT}"
        return found
