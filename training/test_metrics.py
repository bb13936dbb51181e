"""The measures against closed forms and constructed cases. `python3 -m unittest discover -s training`; needs no data."""

import json
import math
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

import prompts
import report
from metrics import changes, frechet_distance, motion, nearest, psnr, retrieval, roughness, seam_ratio
from near_words import load_near_words
from sampling import picture_steps, times


def exact_gaussian(mean: np.ndarray, covariance: np.ndarray, count: int = 400) -> np.ndarray:
    """Rows whose sample mean and covariance are exactly these."""
    x = np.random.default_rng(0).normal(size=(count, len(mean)))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return x @ np.linalg.cholesky(covariance).T + mean


def turning(frames: int, seam: float = 0.0) -> torch.Tensor:
    """A loop whose every change is 1 / frames of a ramp; `seam` is added to the first frame alone."""
    clip = torch.zeros(frames, 4, 8, 8)
    clip[:, 3] = 1
    for t in range(frames):
        clip[t, :3] = min(t, frames - t) / frames  # up, then down: every step is 1 / frames
    clip[0, :3] += seam
    return clip


class FrechetDistance(unittest.TestCase):
    def test_gaussians_in_closed_form(self):
        a = exact_gaussian(np.zeros(2), np.diag([1.0, 4.0]))
        b = exact_gaussian(np.array([3.0, 0.0]), np.diag([9.0, 1.0]))
        # |3|^2 + (1 - 3)^2 + (2 - 1)^2: for commuting covariances the roots subtract
        self.assertAlmostEqual(frechet_distance(a, b), 14.0, places=6)

    def test_correlated_in_closed_form(self):
        one, rho = np.eye(2), 0.6
        b = exact_gaussian(np.zeros(2), np.array([[1, rho], [rho, 1]]))
        expected = 4 - 2 * (math.sqrt(1 + rho) + math.sqrt(1 - rho))
        self.assertAlmostEqual(frechet_distance(exact_gaussian(np.zeros(2), one), b), expected, places=6)

    def test_same_is_zero_and_order_is_free(self):
        rng = np.random.default_rng(1)
        a, b = rng.normal(size=(20, 40)), rng.normal(size=(30, 40))  # fewer rows than columns
        self.assertAlmostEqual(frechet_distance(a, a), 0, places=4)
        self.assertAlmostEqual(frechet_distance(a, b), frechet_distance(b, a), places=6)
        self.assertGreater(frechet_distance(a, b), 1)


class Retrieval(unittest.TestCase):
    def test_rank_counts_better_ones(self):
        texts = torch.eye(4)
        videos = torch.tensor([[0.9, 0.5, 0.1, 0.0], [0.9, 0.5, 0.1, 0.0], [0.9, 0.5, 0.1, 0.0]])
        answers = torch.tensor([0, 1, 3])
        self.assertEqual(retrieval(videos, texts, answers, 1).tolist(), [True, False, False])
        self.assertEqual(retrieval(videos, texts, answers, 2).tolist(), [True, True, False])
        self.assertEqual(retrieval(videos, texts, answers, 4).tolist(), [True, True, True])


class Loops(unittest.TestCase):
    def test_a_perfect_loop_has_seam_one(self):
        row = motion(turning(12))
        self.assertAlmostEqual(seam_ratio([row]), 1.0, places=5)
        self.assertAlmostEqual(row["amount"], 0.75 / 12, places=5)  # three of four channels move, all is visible

    def test_a_jump_at_the_seam_shows(self):
        plain, broken = motion(turning(12)), motion(turning(12, seam=-0.5))
        # the first frame is reached by the seam and left by the first inner change: 7 units and 7 among 10 ordinary ones
        self.assertAlmostEqual(seam_ratio([broken]), 7 / ((10 + 7) / 11), places=4)
        self.assertGreater(broken["flicker"], plain["flicker"])

    def test_changes_are_circular(self):
        clip = torch.zeros(4, 4, 2, 2)
        clip[3] = 1
        self.assertEqual(changes(clip).tolist(), [0, 0, 1, 1])

    def test_roughness_tells_flicker_from_steady_motion(self):
        flicker = torch.zeros(8, 4, 4, 4)
        flicker[::2] = 1
        self.assertAlmostEqual(roughness([motion(flicker)]), 2.0, places=5)
        self.assertLess(roughness([motion(turning(32))]), 0.2)

    def test_a_still_does_not_move(self):
        row = motion(torch.rand(1, 4, 8, 8).expand(6, -1, -1, -1))
        self.assertEqual((row["amount"], row["flicker"]), (0, 0))


class Pictures(unittest.TestCase):
    def test_psnr(self):
        self.assertAlmostEqual(psnr(torch.zeros(3, 4), torch.full((3, 4), 0.1)), 20, places=4)

    def test_nearest(self):
        known = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
        distance = nearest(torch.tensor([[1.0, 1.0], [0.3, 0.3], [0.0, 1.0]]), known, chunk=2)
        torch.testing.assert_close(distance, torch.tensor([0.0, 0.3, 0.5**0.5]))


class Sampling(unittest.TestCase):
    def test_times(self):
        self.assertEqual(times(4), [1, 0.75, 0.5, 0.25, 0])
        shifted = times(4, 3.0)
        self.assertEqual([round(t, 4) for t in shifted], [1, 0.9, 0.75, 0.5, 0])

    def test_picture_steps_in_proportion(self):
        self.assertEqual(picture_steps({"steps": 8}, 4), 4)
        self.assertEqual(picture_steps({"steps": 8, "pictureSteps": 16}, 4), 8)
        self.assertEqual(picture_steps({"steps": 8, "pictureSteps": 1}, 2), 1)


class Prompts(unittest.TestCase):
    def index(self) -> dict:
        def row(name: str, **more: object) -> dict:
            return {"name": name, "label": name, "tags": ["round"], "tone": "", "flag": False, "held_out": False, **more}

        return {"clips": [row("cat face"), row("cat face", tone="dark skin"), row("owl", held_out=True)],
                "stills": [row("flag: Peru", flag=True), row("bell", held_out=True), row("cup")]}

    def test_parts(self):
        self.assertEqual([(kind, i) for kind, i, _ in prompts.seen(self.index())], [("clips", 0)])
        self.assertEqual({(kind, i) for kind, i, _ in prompts.unseen(self.index())}, {("clips", 2), ("stills", 1)})
        self.assertEqual(prompts.caption_words(self.index()), {"cat", "face", "owl", "flag", "peru", "bell", "cup", "round"})

    def test_siblings_differ_only_in_who_it_is(self):
        rows = [("man swimming", False), ("woman swimming", True), ("woman", False), ("old woman", True), ("cat", True)]
        index = {"clips": [{"name": name, "tone": "", "flag": False, "held_out": held} for name, held in rows], "stills": []}
        self.assertEqual(prompts.siblings(index), {"woman swimming"})

    def test_words_of_captions_are_refused(self):
        with tempfile.TemporaryDirectory() as folder, patch("prompts.WORDS", Path(folder) / "words.json"):
            prompts.WORDS.write_text(json.dumps({"moggy": "cat face"}))
            self.assertEqual(prompts.unseen_words(self.index())[0][:3], ("moggy", "clips", 0))
            for wrong in ({"round": "cat face"}, {"cats": "cat face"}, {"moggy": "dog face"}):
                prompts.WORDS.write_text(json.dumps(wrong))
                with self.assertRaises(SystemExit):
                    prompts.unseen_words(self.index())

    def test_no_form_of_a_word_to_come_is_trained_on(self):
        near = [[word, 1.0] for word in ("moggies", "moggy", "owls", "cats", "kitten")]
        with tempfile.TemporaryDirectory() as folder, patch("near_words.WORDS", Path(folder) / "words.json") as words:
            root = Path(folder)
            words.write_text(json.dumps({"moggy": "cat face"}))
            (root / "index.json").write_text(json.dumps(self.index()))
            (root / "near_words.json").write_text(json.dumps({"cat face": near}))
            (root / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {word: i for i, (word, _) in enumerate(near)}}}))
            self.assertEqual(load_near_words(root), {"cat face": [["cats", 1.0], ["kitten", 1.0]]})

    def test_the_committed_list_has_fifty_words(self):
        self.assertEqual(len(json.loads(prompts.WORDS.read_text())), 50)


class Report(unittest.TestCase):
    ENTRY = {"version": "1", "date": "2026-01-01", "note": "long", "trained_minutes": 90, "denoiser": "a", "decoder": "b", "seam_ratio": 1.25,
             "counts": {"samples": 7, "compare": 3}}

    def test_one_entry_for_one_version_of_weights(self):
        history = report.remember([self.ENTRY], {**self.ENTRY, "note": "", "trained_minutes": None, "seam_ratio": 1.0})
        self.assertEqual([(row["note"], row["trained_minutes"], row["seam_ratio"]) for row in history], [("long", 90, 1.0)])
        noted = report.remember(history, {**self.ENTRY, "note": "longer", "trained_minutes": 150})
        self.assertEqual([(row["note"], row["trained_minutes"]) for row in noted], [("longer", 150)])
        for other in ({"denoiser": "c"}, {"version": "2"}):
            self.assertEqual(len(report.remember(history, {**self.ENTRY, **other})), 2)

    def test_hours_are_those_of_all_versions(self):
        self.assertEqual(report.hours([self.ENTRY, {**self.ENTRY, "trained_minutes": 0}], 40), "some 2 hours")

    def test_the_card_keeps_what_is_around_a_part(self):
        card = "# Card\n<!-- versions: written by npm run eval -->\nold\n<!-- end of versions -->\nend"
        filled = report.fill(card, "versions", report.table([self.ENTRY]))
        self.assertTrue(filled.startswith("# Card\n") and filled.endswith("\nend") and "old" not in filled)
        self.assertIn("| 1 (2026-01-01) | long |", filled)
        self.assertIn(" 1.25 |", filled)
        self.assertEqual(report.fill(filled, "versions", report.table([self.ENTRY])), filled)
        for wrong in ("# Card", card + card):
            with self.assertRaises(ValueError):
                report.fill(wrong, "versions", "")

    def test_the_committed_card_says_what_the_committed_numbers_say(self):
        card = report.CARD.read_text()
        self.assertEqual(report.fill_card(card, json.loads(report.METRICS.read_text()), report.load_history()), card)

    def test_sheet_fills_its_last_row(self):
        image = report.sheet([torch.zeros(3, 4, 4)] * 9)
        self.assertEqual(image.size, (32, 8))
        self.assertEqual((image.getpixel((0, 4)), image.getpixel((31, 7))), ((0, 0, 0), (255, 255, 255)))


if __name__ == "__main__":
    unittest.main()
