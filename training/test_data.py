"""Degraded pictures and inflected words, on constructed cases. `python3 -m unittest discover -s training`; needs no data."""

import unittest

import numpy as np
import torch

from degrade import degrade, flat, on_paper, outline, premultiplied, small, warped
from wordnet import forms


def disc(size: int = 32) -> torch.Tensor:
    """A red disc on nothing, premultiplied [4, H, W]."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
    alpha = ((x * x + y * y) < 0.5).float()
    return torch.stack([alpha, 0.2 * alpha, 0.1 * alpha, alpha])


class Degrade(unittest.TestCase):
    def test_is_a_possible_picture(self):
        rng = np.random.default_rng(0)
        for _ in range(60):
            picture = degrade(disc(), rng)
            self.assertEqual(picture.shape, disc().shape)
            self.assertGreaterEqual(picture.min().item(), 0)
            self.assertTrue((picture[:3] <= picture[3:] + 1e-5).all())
            self.assertLessEqual(picture[3].max().item(), 1 + 1e-6)

    def test_same_numbers_same_picture(self):
        looks = [degrade(disc(), np.random.default_rng(7)) for _ in range(2)]
        self.assertTrue(torch.equal(*looks))

    def test_no_bend_moves_nothing(self):
        torch.testing.assert_close(warped(disc(), 0.0, np.random.default_rng(0)), disc(), atol=1e-4, rtol=0)

    def test_squares_are_means(self):
        squares = small(disc(), 8, smooth=False)
        self.assertAlmostEqual(squares[0, :8, :8].std().item(), 0, places=6)
        self.assertAlmostEqual(squares[0, 8:16, 8:16].mean().item(), disc()[0, 8:16, 8:16].mean().item(), places=5)

    def test_flat_has_few_colours(self):
        colours = flat(disc(), 3, np.random.default_rng(0)).flatten(1).T
        self.assertLessEqual(len(colours.unique(dim=0)), 4)
        self.assertEqual(set(colours[:, 3].tolist()), {0.0, 1.0})

    def test_lines_are_where_something_changes(self):
        line = outline(disc(), 4)[3]
        self.assertEqual(line[16, 16].item(), 0)
        self.assertEqual(line[0, 0].item(), 0)
        self.assertGreater(line.max().item(), 0.5)

    def test_paper_lies_behind(self):
        picture = on_paper(disc(), np.array([1.0, 1.0, 0.9]))
        self.assertTrue((picture[3] == 1).all())
        torch.testing.assert_close(picture[:3, 0, 0], torch.tensor([1.0, 1.0, 0.9]))
        torch.testing.assert_close(picture[:3, 16, 16], disc()[:3, 16, 16])

    def test_no_colour_brighter_than_alpha(self):
        self.assertTrue(torch.equal(premultiplied(torch.tensor([2.0, 0.5, -1.0, 0.7]).view(4, 1, 1)).flatten(),
                                    torch.tensor([0.7, 0.5, 0.0, 0.7])))


class Forms(unittest.TestCase):
    def test_inflected_words_lead_to_their_lemma(self):
        for word, lemma in {"bunnies": "bunny", "foxes": "fox", "hopping": "hop", "dancing": "dance", "dried": "dry",
                            "happily": "happy", "cats": "cat", "cat": "cat"}.items():
            self.assertIn(lemma, forms(word), word)


if __name__ == "__main__":
    unittest.main()
