def rate(country):
    return TABLE[country].percent
