"""How good was it?"""
