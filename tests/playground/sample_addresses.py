"""Addresses for payloads that need one; nothing is fetched from there."""

IMAGE_URL = "https://example.com/i.png"
