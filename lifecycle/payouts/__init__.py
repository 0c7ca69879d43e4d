"""Payouts: asked for, certified, approved by enough people, instructed once, and what the bank made of it."""
