"""Networks that were widened to more latents do what they did. `python3 -m unittest discover -s training`; needs no data."""

import unittest
from unittest.mock import patch

import torch

from autoencoder import Stem
from denoiser import LATENT, Denoiser, clip_conditions
from widen import widen


class Widen(unittest.TestCase):
    def test_denoiser_does_what_it_did(self):
        torch.manual_seed(0)
        with patch("denoiser.LATENT", 3), patch("denoiser.INPUT", 13):
            before = Denoiser(low=16, width=32, blocks=1, emb=32, layout=(16, 4)).eval()
        torch.nn.init.normal_(before.conv_out.weight, std=0.1)
        torch.nn.init.normal_(before.gates.weight, std=0.1)
        torch.nn.init.normal_(before.gates.bias)
        after = Denoiser(low=16, width=32, blocks=1, emb=32, layout=(16, 4)).eval()
        wide = widen({f"denoiser.{name}": value for name, value in before.state_dict().items()})
        after.load_state_dict({name.removeprefix("denoiser."): value for name, value in wide.items()})
        x, picture, known = torch.randn(1, 2, 3, 16, 16), torch.randn(1, 3, 16, 16), torch.randn(1, 2, 3, 16, 16)
        told = torch.tensor([0.7]), torch.randn(1, 3, 192), torch.ones(1, 3), torch.randn(1, 192), torch.ones(1, 2)
        mask = torch.ones(1, 2, 1, 16, 16)

        def more(latents: torch.Tensor) -> torch.Tensor:
            """The same latents, with others that the network does not know."""
            return torch.cat([latents, torch.randn(*latents.shape[:-3], LATENT - 3, 16, 16)], dim=-3)

        expected = before.predict(x, *told, clip_conditions(x, picture, known, mask))
        output = after.predict(more(x), *told, clip_conditions(more(x), more(picture), more(known), mask))
        torch.testing.assert_close(output[:, :, :3], expected, atol=1e-4, rtol=1e-4)
        self.assertEqual(output[:, :, 3:].abs().max(), 0)

    def test_decoder_does_what_it_did(self):
        torch.manual_seed(0)
        before, after = Stem(high=16, latent=3), Stem(high=16)
        wide = widen({f"stem.{name}": value for name, value in before.state_dict().items()})
        after.load_state_dict({name.removeprefix("stem."): value for name, value in wide.items()})
        z = torch.randn(2, LATENT, 4, 4)
        torch.testing.assert_close(after(z, 2), before(z[:, :3], 2))

    def test_fewer_latents_are_refused(self):
        with self.assertRaises(ValueError):
            widen({"stem.conv_in.weight": torch.zeros(4, 5, 3, 3)}, 4)


if __name__ == "__main__":
    unittest.main()
