"""What training computes besides networks, against closed forms. `python3 -m unittest discover -s training`; needs no data."""

import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from align import mixed, mixing, unlike
from autoencoder import CHANNELS, Autoencoder
from average import average
from denoiser import LATENT, OUTLINE, Denoiser, clip_conditions, picture_conditions
from export import randomise
from loop import orthogonalise
from train_autoencoder import BOUNDARY, DECIBEL, Kept, gradients, loss_of, turned
from train_denoiser import Conditions, Latents, Model, flow_loss


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


class Align(unittest.TestCase):
    def test_latents_that_were_mixed_are_brought_back(self):
        torch.manual_seed(0)
        old, turn = torch.randn(4000, CHANNELS), torch.eye(CHANNELS) + 0.1 * torch.randn(CHANNELS, CHANNELS)
        new = old @ turn + 3
        self.assertGreater(unlike(old, new), 0.1)
        self.assertLess(unlike(old, new @ mixing(old, new)), 1e-6)

    @torch.no_grad()
    def test_images_stay_and_latents_are_mixed(self):
        torch.manual_seed(0)
        before, after = (narrow() for _ in range(2))
        m = torch.eye(CHANNELS) + 0.05 * torch.randn(CHANNELS, CHANNELS)
        after.load_state_dict(mixed(before.state_dict(), m))
        rgba = torch.rand(1, 4, 4, 128, 128)
        old, new = before.encode(rgba), after.encode(rgba)
        self.assertLess((torch.einsum("btihw,io->btohw", old, m) - new).abs().max(), 1e-4)
        self.assertLess((before.decode(old) - after.decode(new)).abs().max(), 1e-4)


class SecondPass(unittest.TestCase):
    def test_it_sees_what_the_decoder_makes_of_the_first(self):
        model = narrow()
        rgba = torch.rand(2, 8, 4, 32, 32)
        z = model.encoder.encode(rgba)
        error = rgba - model.decode(z)
        torch.testing.assert_close(model.encode(rgba), z + model.encoder.correction(rgba, error))
        self.assertGreater((model.encoder.correction(rgba, 2 * error) - model.encoder.correction(rgba, error)).abs().max(), 1e-2)

    def test_the_decoder_does_not_learn_from_the_error_that_was_given(self):
        model = narrow()
        rgba = torch.rand(1, 4, 4, 32, 32)
        model.correction(rgba, model.encoder.encode(rgba)).square().sum().backward()
        self.assertEqual({name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}, {"encoder"})
        self.assertIsNone(model.encoder.conv_in.weight.grad)
        self.assertGreater(model.encoder.refiner.conv_in.weight.grad.abs().max(), 0)

    def test_a_new_one_changes_nothing(self):
        model = Autoencoder(low=16, high=16, wide=16)
        rgba = torch.rand(1, 4, 4, 32, 32)
        torch.testing.assert_close(model.encode(rgba), model.encoder.encode(rgba), atol=0, rtol=0)


def narrow() -> Autoencoder:
    """Nothing in it is zero, as much is in a new one."""
    torch.manual_seed(0)
    model = Autoencoder(low=16, high=16, wide=16).eval()
    randomise(model)
    return model


class Turned(unittest.TestCase):
    def test_it_changes_shapes_and_colours_and_never_alpha(self):
        clip = np.arange(2 * 3 * 3 * 4).reshape(2, 3, 3, 4)
        with patch("train_autoencoder.TURNED", 0):
            np.testing.assert_array_equal(turned(clip, np.random.default_rng(0)), clip)
        with patch("train_autoencoder.TURNED", 1):
            out = turned(clip, np.random.default_rng(1))
        aside = clip.swapaxes(1, 2)
        np.testing.assert_array_equal(out[..., 3], aside[..., 3])
        self.assertFalse((out == aside).all())
        np.testing.assert_array_equal(np.sort(out, axis=-1), np.sort(aside, axis=-1))


class Loss(unittest.TestCase):
    def test_halving_the_error_counts_its_decibels(self):
        target = torch.zeros(2, 4, 4, 8, 8)
        error = torch.zeros_like(target)
        error[:, :, :3] = 0.2
        losses = [loss_of(error * share, target).item() for share in (1.0, 0.5)]
        # rgb alone is off: 3 of 4 channels, and every channel of a composite; nothing changes in space or time.
        by_absolute = (0.2 - 0.1) * (3 / 4 + 1)
        self.assertAlmostEqual(losses[0] - losses[1], by_absolute + 2 * DECIBEL * 20 * torch.log10(torch.tensor(2.0)).item(), places=3)


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


class Motion(unittest.TestCase):
    def test_usual_is_the_mean_of_its_kind(self):
        usual = Latents.means([(None, 1.0), (None, 3.0), ("dance", 8.0), ("sway", 0.5), ("dance", 10.0)])
        self.assertEqual(usual, {None: 2.0, "dance": 9.0, "sway": 0.5})


class Lengths(unittest.TestCase):
    def test_a_batch_of_short_loops_costs_as_much_as_one_of_long_ones(self):
        row = {"name": "red heart", "label": "red heart", "tags": ["love"], "tone": "", "flag": False, "motion": 0.5}

        def loops(frames: int) -> dict:
            clips = torch.arange(frames).view(1, -1, 1, 1, 1).expand(2, -1, LATENT, 16, 16)
            return {"clips": clips, "anchors": 100 + clips, "clip_rows": [row, {**row, "motion": 1.5}]}

        pictures = {"pictures": torch.zeros(1, LATENT, 16, 16), "degraded": torch.zeros(1, 1, LATENT, 16, 16), "picture_rows": [row],
                    "held_out": torch.zeros(0), "held_out_rows": [], "mean": torch.zeros(LATENT), "std": torch.ones(LATENT)}
        latents = Latents({**loops(9), **pictures, "short": [loops(2), loops(6)]}, {}, 0.0)
        rng, seen = np.random.default_rng(0), set()
        for _ in range(20):
            x0, picture, texts, motion = latents.loops(2, True, rng)
            count, frames = x0.shape[:2]
            seen.add(frames)
            self.assertEqual(count, {2: 16, 6: 6}[frames])  # half of 7 loops of 9, or a little more
            start = x0[:, 0, 0, 0, 0]
            torch.testing.assert_close(x0[:, :, 0, 0, 0], (start[:, None] + torch.arange(frames)) % frames)
            torch.testing.assert_close(picture[:, 0, 0, 0], 100 + start)
            self.assertEqual(len(texts), count)
            self.assertLessEqual(set(motion.tolist()), {0.5, 1.5})  # of the usual motion of long ones
        self.assertEqual(seen, {2, 6})
        self.assertEqual(latents.loops(2, False, rng)[0].shape[:2], (4, 9))


class Bypass(unittest.TestCase):
    def test_adds_the_input_and_where_there_is_one_the_picture(self):
        denoiser = Denoiser(low=16, width=32, blocks=1, emb=32, layout=(16, 4)).eval()  # whose network says nothing yet
        noisy, moving = torch.randn(2, LATENT, 1, 1)
        denoiser.gates.bias.data = torch.cat([noisy, moving]).flatten()
        told = torch.tensor([0.7]), torch.randn(1, 3, 192), torch.ones(1, 3), torch.randn(1, 192), torch.ones(1, 2)
        x, picture = torch.randn(1, 3, LATENT, 16, 16), torch.randn(1, LATENT, 16, 16)
        with torch.no_grad():
            clip = denoiser.predict(x, *told, clip_conditions(x, picture))
            still = denoiser.predict(x[:, :1], *told, picture_conditions(x[:, :1], sketch=picture))
        torch.testing.assert_close(clip[0], noisy * x[0] + moving * picture)
        torch.testing.assert_close(still[0, 0], noisy * x[0, 0])


class Detail(unittest.TestCase):
    def test_velocity_leads_to_what_was_predicted(self):
        torch.manual_seed(0)
        model = Denoiser(low=16, width=32, blocks=1, emb=32, layout=(16, 4)).eval()
        torch.nn.init.normal_(model.conv_out.weight, std=0.1)
        x, t = torch.randn(2, 2, LATENT, 16, 16), torch.tensor([0.3, 0.9])
        told = torch.randn(2, 3, 192), torch.ones(2, 3), torch.randn(2, 192), torch.ones(2, 2)
        conditions = clip_conditions(x, torch.randn(2, LATENT, 16, 16))
        velocity, predicted = (call(x, t, *told, conditions) for call in (model, model.predict))
        torch.testing.assert_close(velocity[:, :, :OUTLINE], predicted[:, :, :OUTLINE])
        ended = x - t.view(-1, 1, 1, 1, 1) * velocity
        torch.testing.assert_close(ended[:, :, OUTLINE:], predicted[:, :, OUTLINE:], atol=1e-5, rtol=1e-5)


class KeptLatents(unittest.TestCase):
    def test_only_the_first_latents_are_held(self):
        torch.manual_seed(0)
        before = Autoencoder(latent=3, wide=16)
        with tempfile.NamedTemporaryFile() as file:
            torch.save({"ema": before.state_dict()}, file.name)
            kept = Kept(Path(file.name))
        rgba = torch.rand(1, 4, 4, 32, 32)
        latents = torch.cat([before.encoder.encode(rgba), torch.randn(1, 1, 5, 4, 4)], dim=2).detach()
        self.assertEqual(kept.distance(latents, rgba).item(), 0)
        latents[:, :, 2] += 2
        self.assertAlmostEqual(kept.distance(latents, rgba).item(), 4 / 3, places=5)


class FoldedGuidance(unittest.TestCase):
    def test_target_moves_by_what_the_conditions_change(self):
        torch.manual_seed(0)
        model = Model().eval()
        torch.nn.init.normal_(model.denoiser.conv_out.weight, std=0.1)  # it starts as zero, whatever it is told
        x0, picture = torch.randn(1, 2, LATENT, 16, 16), torch.randn(1, LATENT, 16, 16)
        tokens, mask, motion = torch.ones(1, 3, dtype=torch.long), torch.ones(1, 3), torch.tensor([[1.0, 1.0]])
        given = Conditions(tokens, mask, motion, clip_conditions(x0, picture))
        null = Conditions(tokens, mask, 0 * motion, clip_conditions(x0, 0 * picture))

        def loss(*guidance) -> float:
            torch.manual_seed(1)
            return flow_loss(model, x0, given, *guidance).item()

        self.assertEqual(loss(given, 0.5), loss())
        self.assertEqual(loss(null, 0.0), loss())
        self.assertNotAlmostEqual(loss(null, 0.5), loss(), places=4)
        torch.manual_seed(1)
        unconditional = flow_loss(model, x0, null).item()
        self.assertAlmostEqual(loss(null, 1.0), unconditional, places=5)  # moved all the way, only its error is left


class Orthogonalise(unittest.TestCase):
    def test_singular_values_become_near_one(self):
        torch.manual_seed(0)
        for shape in ((40, 90), (90, 40), (33, 33)):
            values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
            self.assertEqual(orthogonalise(torch.randn(shape)).dtype, torch.float32)
            self.assertGreater(values.median().item(), 0.65)  # the quintic swings between 0.68 and 1.13
            self.assertLess(values.max().item(), 1.25)


if __name__ == "__main__":
    unittest.main()
