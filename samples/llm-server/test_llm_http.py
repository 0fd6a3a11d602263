"""The HTTP side with a stand-in for the model: needs no PyTorch. Run with: python3 -m unittest -v"""

import json
import threading
import unittest
import urllib.error
import urllib.request

from llm_http import AnswerServer


class FixedModel:
    max_tokens = 8

    def generate(self, seed, tokens):
        return {"seed": seed, "tokens": list(range(tokens))}

    def stats(self):
        return {"pid": 1}

    def checksum(self):
        return {"sha256": "00"}


class AnswerServerTest(unittest.TestCase):
    def setUp(self):
        self.server = AnswerServer(("127.0.0.1", 0))
        self.addCleanup(self.server.server_close)

    def get(self, path):
        url = f"http://127.0.0.1:{self.server.server_address[1]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, dict(answer.headers), json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, dict(refusal.headers), json.load(refusal)

    def serve(self):
        self.server.model = FixedModel()
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)

    def test_says_not_ready_while_loading_and_ready_on_the_same_socket_afterwards(self):
        warm = threading.Event()
        early = threading.Thread(target=self.server.serve_until, args=(warm,))
        early.start()
        self.assertEqual(503, self.get("/ready")[0])
        self.assertEqual(503, self.get("/generate")[0])
        warm.set()
        early.join()

        self.serve()
        self.assertEqual((200, {"ready": True}), (self.get("/ready")[0], self.get("/ready")[2]))

    def test_generates_the_asked_number_of_tokens_and_closes_the_connection(self):
        self.serve()
        status, headers, body = self.get("/generate?seed=7&tokens=3")
        self.assertEqual((200, {"seed": 7, "tokens": [0, 1, 2]}), (status, body))
        self.assertEqual("close", headers["Connection"])

    def test_refuses_bad_numbers_and_says_what_it_takes(self):
        self.serve()
        for query, text in {"tokens=9": "from 1 to 8", "seed=x": "whole number", "seed=-1": "from 0"}.items():
            with self.subTest(query):
                status, _, body = self.get("/generate?" + query)
                self.assertEqual(400, status)
                self.assertIn(text, body["error"])

    def test_names_its_paths_when_asked_for_another(self):
        self.serve()
        status, _, body = self.get("/nothing")
        self.assertEqual(404, status)
        self.assertIn("/generate", body["error"])


if __name__ == "__main__":
    unittest.main()
