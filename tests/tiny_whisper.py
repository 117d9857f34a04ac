"""A Whisper with a few thousand random weights, built offline: it hears nothing, but takes every step of a real one."""

from __future__ import annotations

from pathlib import Path

SENTENCES = [
    "the kitchen light is on and the weather is fine",
    "what is the weather today",
    "오늘 날씨가 어때요 부엌 불을 켜 주세요",
]


def build_tiny_whisper(directory: Path, alignment_heads: bool = True, seed: int = 0) -> Path:
    """The directory, with feature extractor, byte-level BPE tokenizer, model and generation settings saved in it."""
    import tokenizers
    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizer,
    )

    torch.manual_seed(seed)
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=340, initial_alphabet=alphabet, show_progress=False)
    bpe.train_from_iterator(SENTENCES, trainer)
    bpe.save(str(directory / "bpe.json"))
    import json

    trained = json.loads((directory / "bpe.json").read_text(encoding="utf-8"))["model"]
    (directory / "bpe.json").unlink()
    tokenizer = WhisperTokenizer(vocab=trained["vocab"], merges=[tuple(pair) for pair in trained["merges"]])
    names = ["<|startoftranscript|>", "<|en|>", "<|ko|>", "<|translate|>", "<|transcribe|>"]
    names += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": names})
    tokenizer.add_tokens([f"<|{i * 0.02:.2f}|>" for i in range(1501)])
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in [*names, "<|endoftext|>"]}
    end = ids["<|endoftext|>"]
    config = WhisperConfig(
        vocab_size=len(tokenizer), num_mel_bins=20, d_model=32, encoder_layers=1, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        max_target_positions=64, init_std=0.4, pad_token_id=end, bos_token_id=end, eos_token_id=end,
        decoder_start_token_id=ids["<|startoftranscript|>"],
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    # A fresh one: settings added to the model's own are lost when it is saved.
    model.generation_config = GenerationConfig(
        decoder_start_token_id=ids["<|startoftranscript|>"], eos_token_id=end, pad_token_id=end, bos_token_id=end,
        max_length=40, is_multilingual=True, no_timestamps_token_id=ids["<|notimestamps|>"],
        lang_to_id={"<|en|>": ids["<|en|>"], "<|ko|>": ids["<|ko|>"]},
        task_to_id={"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        **({"alignment_heads": [[0, 0], [1, 1]]} if alignment_heads else {}),
    )  # fmt: skip
    WhisperFeatureExtractor(feature_size=20).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    model.save_pretrained(directory)
    return directory
