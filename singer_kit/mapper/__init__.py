"""An inline mapper: decode, transform, encode. It must not validate records or keep them."""
