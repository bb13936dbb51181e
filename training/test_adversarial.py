"""The critic and what learns from it, on constructed cases. `python3 -m unittest discover -s training`; needs no data."""

import unittest
from unittest.mock import patch

import numpy as np
import torch

from denoiser import LATENT, clip_conditions
from train_adversarial import Critic, critic_loss, normalised, sampled
from train_denoiser import Conditions, Model


class Adversarial(unittest.TestCase):
    def test_critic_of_a_loop_does_not_care_where_it_starts(self):
        torch.manual_seed(0)
        critic, clip, picture = Critic(width=8), torch.randn(1, 3, LATENT, 16, 16), torch.randn(1, LATENT, 16, 16)
        with patch("train_adversarial.NOISE_MEAN", -100.0):
            logits, rolled = critic(clip, picture), critic(clip.roll(1, 1), picture)
        for a, b, side in zip(logits, rolled, (16, 8)):
            self.assertEqual(a.shape, (3, 1, side, side))
            torch.testing.assert_close(a.roll(1, 0), b, atol=1e-5, rtol=1e-5)

    def test_loss_is_2_in_doubt_and_0_in_certainty(self):
        self.assertEqual(critic_loss((torch.zeros(3), torch.zeros(2)), (torch.zeros(3), torch.zeros(2))), 2)
        self.assertEqual(critic_loss((torch.full((3,), 1.5),), (torch.full((3,), -2.0),)), 0)
        self.assertEqual(critic_loss((torch.tensor([-1.0]),), (torch.tensor([3.0]),)), 6)

    def test_gradient_keeps_its_direction_and_gets_the_size_of_a_mean_square_error_of_1(self):
        for steepness in (1e-3, 1e3):
            made = torch.tensor([1.0, 2.0, -3.0], requires_grad=True)
            gradient = torch.autograd.grad(normalised(steepness * (made * torch.tensor([1.0, -2.0, 2.0])).sum(), made), made)[0]
            torch.testing.assert_close(gradient, 2 / 3 * torch.tensor([1.0, -2.0, 2.0]) / 3**0.5)

    def test_samples_are_of_the_clip_and_differentiated_once(self):
        """A velocity that knows the way ends at x0 from wherever it starts."""
        x0 = torch.randn(2, 3, LATENT, 16, 16)
        asked = []

        class Knowing(torch.nn.Module):
            scale = torch.nn.Parameter(torch.ones(()))

            def forward(self, x, t, *_):
                asked.append(torch.is_grad_enabled())
                return self.scale * (x - x0) / t.view(-1, 1, 1, 1, 1)

        model = Model()
        model.denoiser = Knowing()
        given = Conditions(torch.ones(2, 3, dtype=torch.long), torch.ones(2, 3), torch.ones(2, 2), clip_conditions(x0, x0[:, 0]))
        for seed in range(4):
            asked.clear()
            made = sampled(model, x0, given, np.random.default_rng(seed))
            torch.testing.assert_close(made, x0, atol=1e-4, rtol=1e-4)
            self.assertEqual(asked, [False] * (len(asked) - 1) + [True])


if __name__ == "__main__":
    unittest.main()
