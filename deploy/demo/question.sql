SELECT c.id AS call, c.nature, c.priority,
       coalesce(group_concat(u.callsign, ', '), 'nobody yet') AS sent,
       count(a.on_scene_at) AS on_scene
FROM calls c
LEFT JOIN assignments a ON a.call_id = c.id
LEFT JOIN units u ON u.id = a.unit_id
WHERE c.priority <= $1
GROUP BY c.id
ORDER BY c.priority, c.received_at
