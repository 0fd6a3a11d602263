"""What daemons are set to, and what is taken from them for the audit."""

import stat
import tempfile
import types
import unittest
from pathlib import Path

from benchlib.failure import BenchFailure
from soaklib.daemons import WAYS, Daemons
from soaklib.load import policies

MACHINE = types.SimpleNamespace(name="m0", address="198.18.0.10")


class DaemonsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)

    def test_without_ways_nothing_is_added(self):
        daemons = Daemons([], self.work)
        self.assertEqual(daemons.settings(MACHINE), {})
        self.assertEqual(daemons.shared_kinds(), {"S3"})
        self.assertEqual(list(self.work.iterdir()), [])

    def test_each_way_has_its_settings(self):
        daemons = Daemons(list(WAYS), self.work)
        settings = daemons.settings(MACHINE)
        self.assertEqual(settings["nfs.root"], self.work / "nfs")
        self.assertEqual(len(settings["tiers.keyFile"].read_text().strip()), 64)
        self.assertEqual(settings["nvme.encrypt"], "true")
        self.assertEqual((settings["nvme.compress"], settings["tiers.compress"]), ("true", "planes"))
        self.assertIn("PRIVATE KEY", settings["tiers.signingKeyFile"].read_text())
        self.assertIn("PUBLIC KEY", settings["tiers.trustedKeysFile"].read_text())
        self.assertEqual(settings["peers.listen"], "198.18.0.10:9465")
        for secret in ("tiers.keyFile", "tiers.signingKeyFile"):
            self.assertEqual(stat.S_IMODE(settings[secret].stat().st_mode), 0o600)

    def test_a_copy_is_audited_with_its_own_store_only(self):
        daemons = Daemons(["nfs", "peers"], self.work)
        daemons.audit(MACHINE, "S3")
        self.assertEqual(daemons.settings(MACHINE), {})
        daemons.audit(MACHINE, "NFS")
        settings = daemons.settings(MACHINE)
        self.assertEqual(settings.pop("nfs.root"), self.work / "nfs")
        self.assertIn("s3.bucket", settings)
        self.assertEqual(set(settings.values()), {None})
        other = types.SimpleNamespace(name="m1", address="198.18.0.11")
        self.assertIn("peers.listen", daemons.settings(other))

    def test_a_kind_that_the_soak_has_not_is_refused(self):
        with self.assertRaises(BenchFailure):
            Daemons([], self.work).audit(MACHINE, "NFS")

    def test_a_folder_tells_what_is_in_it_by_the_names_of_objects(self):
        daemons = Daemons(["nfs"], self.work)
        (daemons.nfs.root / "packs/ab").mkdir(parents=True)
        (daemons.nfs.root / "packs/ab/abcd").write_bytes(b"123")
        self.assertEqual(daemons.nfs.objects(), {"packs/ab/abcd": 3})
        self.assertEqual(daemons.nfs.read_object("packs/ab/abcd"), b"123")

    def test_each_kind_of_shared_store_is_archived_to(self):
        to = [rule["to"] for policy in policies({"S3", "NFS"}, False) for rule in policy if rule["kind"] == "archive"]
        self.assertEqual(to, ["NFS", "S3"])

    def test_with_peers_the_load_begins_with_copies_that_two_nodes_make_at_once(self):
        without, first = policies({"S3"}, False), policies({"S3"}, True)[0]
        self.assertNotIn(first, without)
        self.assertIn({"kind": "node-spread", "nodes": 3}, first)


if __name__ == "__main__":
    unittest.main()
