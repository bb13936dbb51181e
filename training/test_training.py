"""What training computes besides networks, against closed forms. `python3 -m unittest discover -s training`; needs no data."""

import unittest

import torch

from average import average
from train_autoencoder import BOUNDARY, gradients


class Average(unittest.TestCase):
    def test_between_two_checkpoints(self):
        before, after = {"w": torch.tensor([0.0, 2.0])}, {"w": torch.tensor([4.0, 2.0])}
        self.assertEqual(average(before, after, 0.25)["w"].tolist(), [1.0, 2.0])
        self.assertEqual(average(before, after, 0.0)["w"].tolist(), before["w"].tolist())
        self.assertEqual(average(before, after, 1.0)["w"].tolist(), after["w"].tolist())

    def test_other_networks_are_refused(self):
        for other in ({"v": torch.zeros(2)}, {"w": torch.zeros(3)}, {"w": torch.zeros(2), "v": torch.zeros(2)}):
            with self.assertRaises(ValueError):
                average({"w": torch.zeros(2)}, other, 0.5)


class Gradients(unittest.TestCase):
    def test_change_between_latent_frames_weighs_more(self):
        for frame, weights in ((1, [1, 1]), (3, [1, BOUNDARY]), (4, [BOUNDARY, 1]), (7, [1, BOUNDARY])):
            error = torch.zeros(1, 8, 4, 2, 2)
            error[:, frame] = 1  # changes into the frame, and on the circle out of it
            down, across, time = gradients(error)
            self.assertEqual(down.abs().sum() + across.abs().sum(), 0)
            self.assertEqual(time[0, frame].unique().tolist(), [weights[0]])
            self.assertEqual(time[0, (frame + 1) % 8].unique().tolist(), [-weights[1]])
            self.assertEqual(time.abs().sum().item(), sum(weights) * 16)


if __name__ == "__main__":
    unittest.main()
